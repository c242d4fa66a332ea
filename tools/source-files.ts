import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Folders that hold what was installed, generated or made by a run. */
const SKIPPED = new Set(["node_modules", "dist", "coverage"]);
const GENERATED = ["libs/proto/gen"];

/** The files below a folder that people wrote, as sorted relative paths with `/`; dot folders other than `.ci` are left out. */
export function sourceFiles(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const name = relative(root, path).split(sep).join("/");
      if (entry.isFile()) found.push(name);
      else if (entry.isDirectory() && isSource(entry.name, name)) walk(path);
    }
  };
  walk(root);
  return found.sort();
}

function isSource(folder: string, path: string): boolean {
  if (SKIPPED.has(folder) || GENERATED.includes(path)) return false;
  return !folder.startsWith(".") || folder === ".ci";
}
