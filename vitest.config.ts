import { defineConfig } from "vitest/config";

// The source condition lets tests run the .ts files of every workspace package, with no build.
const conditions = ["@odg/source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["{libs,apps,plugins,tools}/**/src/**/*.test.ts", "tools/*.test.ts", "tests/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "tools/bench/**"],
    execArgv: ["--conditions=@odg/source"],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
