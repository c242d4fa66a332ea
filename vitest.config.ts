import { defineConfig } from "vitest/config";

// The source condition lets tests run the .ts files of every workspace package, with no build.
const source = "@odg/source";

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source, "node", "module"], externalConditions: [source, "node"] } },
  test: {
    include: [
      "{libs,apps,plugins,tools}/**/src/**/*.test.ts",
      "tools/*.test.ts",
      "tools/services/*.test.ts",
      "tests/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**", "tools/bench/**"],
    globalSetup: ["tools/services/vitest-setup.ts"],
    execArgv: [`--conditions=${source}`],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
