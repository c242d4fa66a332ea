import { existsSync, globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";

/** A package of the workspace, as far as the boundaries ask about it. */
export interface WorkspacePackage {
  readonly name: string;
  /** Relative to the root; "." for the root itself. */
  readonly folder: string;
  /** What its published code may import. */
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** The keys of `exports`; undefined when the package exports nothing. */
  readonly exports: readonly string[] | undefined;
}

interface Manifest {
  readonly name: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly exports?: Record<string, unknown>;
}

/** The packages of a workspace, the root last, so that the first whose folder holds a file owns it. */
export function readPackages(root: string): WorkspacePackage[] {
  const manifest = readManifest(root, ".");
  const folders = (manifest.workspaces ?? []).flatMap((pattern) => globSync(pattern, { cwd: root }));
  const members = folders
    .map((folder) => folder.split(sep).join("/"))
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .sort();
  return [...members, "."].map((folder) => toPackage(folder, readManifest(root, folder)));
}

/** The package that a file belongs to. */
export function ownerOf(path: string, packages: readonly WorkspacePackage[]): WorkspacePackage {
  const owner = packages.find(({ folder }) => folder === "." || path.startsWith(`${folder}/`));
  if (!owner) throw new Error(`${path}: the workspace has no root package`);
  return owner;
}

function readManifest(root: string, folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
}

function toPackage(folder: string, manifest: Manifest): WorkspacePackage {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies, exports } = manifest;
  return {
    name: manifest.name,
    folder,
    dependencies: new Set(Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })),
    devDependencies: new Set(Object.keys(devDependencies ?? {})),
    exports: exports && Object.keys(exports),
  };
}
