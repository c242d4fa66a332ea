// What the process of an expert may reach, as arguments of Node: files by its permission model, hosts by placement-guard.ts.

import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ExpertPackage } from "./package.ts";
import type { Reach } from "./placement-guard.ts";

/** What a process needs, beside its package. */
export interface ReachOptions {
  readonly expert: ExpertPackage;
  /** File that Node runs. */
  readonly launcher: string;
  /** Socket of the engine's HostService. */
  readonly hostSocket: string;
  /** Where it listens, in a folder that is its own. */
  readonly socketPath: string;
}

/**
 * Arguments by which Node keeps a process to its package, the packages that it can import, and a folder of its own; to the hosts that its
 * package asks for; and to no further processes or native addons but where the package asks for them.
 */
export function reachArguments({ expert, launcher, hostSocket, socketPath }: ReachOptions): string[] {
  const { hosts, child_processes, addons } = expert.permissions;
  const guard = new URL(`./placement-guard${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
  const reach: Reach = { hosts, connect: [hostSocket], listen: [socketPath] };
  const own = dirname(socketPath);
  const reads = [...new Set([...readableFor(expert.root), ...readableFor(dirname(launcher)), guard.pathname, own])];
  guard.searchParams.set("allow", JSON.stringify(reach));
  return [
    "--permission",
    "--allow-worker",
    // What it warns of, a worker with options of its own, the guard does not let be.
    "--disable-warning=PERM0006",
    ...(child_processes ? ["--allow-child-process"] : []),
    ...(addons ? ["--allow-addons"] : []),
    ...reads.map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${own}`,
    `--import=${guard.href}`,
  ];
}

/** The package that a folder belongs to, and what Node looks at when a file of it imports others. */
function readableFor(folder: string): string[] {
  const root = packageAbove(folder);
  const above = ancestors(root);
  const modules = above.map((one) => join(one, "node_modules"));
  const installed = modules.filter((one) => existsSync(one)).map((one) => realpathSync(one));
  return [
    root,
    ...above.map((one) => join(one, "package.json")),
    ...modules,
    ...installed,
    ...installed.flatMap(linked),
  ];
}

function packageAbove(folder: string): string {
  return ancestors(folder).find((one) => existsSync(join(one, "package.json"))) ?? folder;
}

function ancestors(folder: string): string[] {
  return folder === dirname(folder) ? [folder] : [folder, ...ancestors(dirname(folder))];
}

/** Where the links of a folder of modules lead: the packages of a workspace, or of a store of packages. */
function linked(modules: string): string[] {
  return readdirSync(modules, { withFileTypes: true }).flatMap((entry) => {
    const path = join(modules, entry.name);
    if (entry.isSymbolicLink()) return existsSync(path) && statSync(path).isDirectory() ? [realpathSync(path)] : [];
    return entry.isDirectory() && entry.name.startsWith("@") ? linked(path) : [];
  });
}
