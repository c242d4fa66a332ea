import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SOURCE = resolve(import.meta.dirname, "curious-expert");

/** How a copy of the curious expert differs. */
export interface CuriousOptions {
  /** As `odg.permissions` of its package says; left out: none. */
  permissions?: object;
  version?: string;
  /** A line more in its code, so that its bytes differ. */
  more?: string;
  /** Folder to write it to; a new one where absent. */
  folder?: string;
}

/** Writes the expert that asks for whatever its input names; answers the folder of its package. */
export function writeCurious({ permissions, version = "1.0.0", more = "", folder }: CuriousOptions): string {
  const into = folder ?? mkdtempSync(join(tmpdir(), "odg-curious-"));
  cpSync(SOURCE, into, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(SOURCE, "package.json"), "utf8"));
  const own = { ...manifest, version, odg: { ...manifest.odg, ...(permissions ? { permissions } : {}) } };
  writeFileSync(join(into, "package.json"), JSON.stringify(own));
  if (more) writeFileSync(join(into, "worker.ts"), `${readFileSync(join(SOURCE, "worker.ts"), "utf8")}\n// ${more}\n`);
  if (!folder) symlinkSync(resolve(import.meta.dirname, "../../../../node_modules"), join(into, "node_modules"));
  return into;
}
