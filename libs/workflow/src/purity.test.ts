import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

// The package's own compiler settings, over a file that does what the core must not do.
async function compile(source: string): Promise<string> {
  const built = join(root, "libs/workflow/dist");
  await mkdir(built, { recursive: true });
  const folder = await mkdtemp(join(built, "purity-"));
  try {
    await writeFile(join(folder, "probe.ts"), source);
    const include = ["probe.ts"];
    const compilerOptions = {
      rootDir: "../../../..",
      composite: false,
      noEmit: true,
      customConditions: ["@odg/source"],
    };
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include, compilerOptions }),
    );
    const tsc = join(root, "node_modules/.bin/tsc");
    return await promisify(execFile)(tsc, ["-p", folder]).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the compiler refuses IO, clocks of the host and the console in this package", async () => {
  const source = [
    'import { plan } from "../../src/index.ts";',
    'import { readFileSync } from "node:fs";',
    "fetch(String(readFileSync));",
    "console.log(process.env, setTimeout, document, plan);",
  ].join("\n");
  const errors = await compile(source);
  for (const name of ["node:fs", "fetch", "console", "process", "setTimeout", "document"])
    expect(errors).toContain(`'${name}'`);
});

test("and takes what is pure", async () => {
  expect(await compile('import { plan } from "../../src/index.ts";\nexport const check = plan;\n')).toBe("");
});

test("no source file asks for the time, or for chance", () => {
  const folder = new URL("./", import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  expect(sources.length).toBeGreaterThan(10);
  for (const name of sources) {
    expect(readFileSync(new URL(name, folder), "utf8"), name).not.toMatch(
      /Date\.now|new Date|Math\.random|performance\.|crypto\./,
    );
  }
});
