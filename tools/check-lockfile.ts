/** Checks that package-lock.json installs the same everywhere: complete for every platform, verified, and without addresses. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Record<string, string>;
}

interface Lockfile {
  readonly packages: Record<string, LockEntry>;
}

/** What is wrong with a lockfile, one line per fault. */
export function lockfileFaults(lockfile: Lockfile): string[] {
  return Object.entries(lockfile.packages).flatMap(([path, entry]) => [
    ...addressFaults(path, entry),
    ...integrityFaults(path, entry),
    ...missingHalves(path, entry, lockfile),
  ]);
}

function addressFaults(path: string, entry: LockEntry): string[] {
  if (entry.link || !entry.resolved) return [];
  return [`${path}: has a download address; set omit-lockfile-registry-resolved and install again`];
}

function integrityFaults(path: string, entry: LockEntry): string[] {
  if (entry.link || !path.includes("node_modules/") || entry.integrity) return [];
  return [`${path}: has no integrity, so nothing proves what is installed; install it from the registry`];
}

/** `npm ci` refuses a lockfile that lacks an optional dependency, on every platform. */
function missingHalves(path: string, entry: LockEntry, lockfile: Lockfile): string[] {
  return Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !resolvable(path, name, lockfile))
    .map(([name, version]) => `${path || "the root"}: ${name}@${version} is not locked; pin a version that has it`);
}

/** Node's own search: beside the package's own dependencies, then in every folder above. */
function resolvable(path: string, name: string, lockfile: Lockfile): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    if (lockfile.packages[folder ? `${folder}/node_modules/${name}` : `node_modules/${name}`]) return true;
    if (!folder) return false;
  }
}

function main(): number {
  const file = resolve(import.meta.dirname, "../package-lock.json");
  const faults = lockfileFaults(JSON.parse(readFileSync(file, "utf8")) as Lockfile);
  for (const fault of faults) console.error(`package-lock.json: ${fault}`);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main();
