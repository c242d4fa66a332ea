import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** The file of a package that carries its signature; it is not part of what is signed. */
export const SIGNATURE_FILE = "odg-signature.json";

/** What only a folder has in which somebody works: npm publishes none of them. */
const LOCK_FILES = ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"];

/** The files in a package's folder, by their paths from there with `/`, in order; dependencies and the signature left out. */
export function packageFiles(root: string): string[] {
  return globSync("**/*", { cwd: root, exclude: (name) => name === "node_modules" })
    .filter((file) => file !== SIGNATURE_FILE && statSync(join(root, file)).isFile())
    .map((file) => file.split(sep).join("/"))
    .sort();
}

/**
 * SHA-256, in hex, over the names and bytes of files, in their order: the digest of a package.
 *
 * @param root Folder of the package.
 * @param files Paths from there.
 * @throws the error of the file system where one cannot be read
 */
export function digestOfFiles(root: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const bytes = readFileSync(join(root, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/**
 * Whether a folder holds a published copy of a package, whose bytes do not change under one version: it was installed (it lies under
 * `node_modules`), or nobody works in it (no `.git` above, no lock file in it, and no workspace that it is part of).
 *
 * @param root Folder of the package, links resolved.
 */
export function isPublishedCopy(root: string): boolean {
  if (root.split(sep).includes("node_modules")) return true;
  if (LOCK_FILES.some((file) => existsSync(join(root, file)))) return false;
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git")) || isWorkspace(folder)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function isWorkspace(folder: string): boolean {
  if (existsSync(join(folder, "pnpm-workspace.yaml"))) return true;
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) return false;
  try {
    const parsed: unknown = JSON.parse(readFileSync(manifest, "utf8"));
    return typeof parsed === "object" && parsed !== null && "workspaces" in parsed;
  } catch {
    return false; // What is no JSON is no workspace either.
  }
}
