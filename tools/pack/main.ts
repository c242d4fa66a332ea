// Makes the tarballs that `npm publish` would send: `npm run pack:plugins -- [--into folder] [package …]`.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { publishedManifest } from "./manifest.ts";
import { copyBuilt } from "./vendor.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const { values, positionals } = parseArgs({
  options: { into: { type: "string", default: join(ROOT, "dist/packages") } },
  allowPositionals: true,
});
const published = ["libs/expert-plugin-api", "tools/create-odg-expert", ...globSync("plugins/*", { cwd: ROOT }).sort()];
const chosen = published.filter(
  (folder) => positionals.length === 0 || positionals.some((name) => basename(folder) === name || folder === name),
);
if (chosen.length === 0) throw new Error(`no package of these: ${published.join(", ")}`);

mkdirSync(values.into, { recursive: true });
const built = chosen.filter((folder) => existsSync(join(ROOT, folder, "tsconfig.json")));
if (built.length > 0)
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-b", ...built], { cwd: ROOT, stdio: "inherit" });
for (const folder of chosen) process.stdout.write(`${pack(folder, values.into)}\n`);

/** Packs one package; answers the path of its tarball. */
function pack(folder: string, into: string): string {
  const stage = mkdtempSync(join(tmpdir(), "odg-pack-"));
  try {
    const manifest = publishedManifest(folder);
    writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    for (const file of (manifest.files as string[] | undefined) ?? []) {
      const from = join(ROOT, folder, file);
      if (file !== "dist" && file !== "vendor" && existsSync(from))
        cpSync(from, join(stage, file), { recursive: true });
    }
    if (existsSync(join(ROOT, folder, "dist"))) copyBuilt(join(ROOT, folder), stage);
    const [packed] = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--pack-destination", into], {
        cwd: stage,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      }),
    ) as { filename: string }[];
    if (!packed) throw new Error(`npm pack said nothing of ${folder}`);
    return join(into, packed.filename);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
