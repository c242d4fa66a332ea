import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SOURCE = resolve(import.meta.dirname, "curious-expert");

/**
 * Writes the expert that asks for whatever its input names; answers the folder of its package.
 *
 * @param permissions As `odg.permissions` of its package says; left out: none.
 */
export function writeCurious(permissions?: object): string {
  const into = mkdtempSync(join(tmpdir(), "odg-curious-"));
  cpSync(SOURCE, into, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(SOURCE, "package.json"), "utf8"));
  const own = { ...manifest, odg: { ...manifest.odg, ...(permissions ? { permissions } : {}) } };
  writeFileSync(join(into, "package.json"), JSON.stringify(own));
  symlinkSync(resolve(import.meta.dirname, "../../../../node_modules"), join(into, "node_modules"));
  return into;
}
