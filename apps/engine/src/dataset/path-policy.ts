import type { Stats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, resolve, sep } from "node:path";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";

/** Which paths may be opened. */
export interface PathPolicy {
  /** Folders: whatever lies under one, links resolved, may be opened. */
  readonly roots: readonly string[];
  /** Files that may be opened wherever they lie, and the files beside them. */
  readonly allowedPaths: readonly string[];
}

/** A file that may be read. */
export interface AllowedFile {
  /** Absolute path with every link resolved. */
  readonly path: string;
  readonly stats: Stats;
}

const SCHEME = /^[a-z][a-z0-9+.-]+:/i;
const WINDOWS_DRIVE = /^[a-z]:([\\/]|$)/i;
const ESCAPED = /%(2e|2f|5c|00)/i;

/**
 * Resolves a path under a policy.
 * @throws DatasetError PATH_NOT_ALLOWED (the path is not echoed), NOT_FOUND, EGRESS_DENIED for an address of a server.
 */
export async function allowFile(uri: string, policy: PathPolicy): Promise<AllowedFile> {
  refuseOddUri(uri);
  const wanted = await candidates(uri, policy);
  for (const path of wanted) {
    const file = await lookAt(path);
    if (file) return file;
  }
  throw wanted.length > 0
    ? new DatasetError(Reason.NOT_FOUND, "There is no such dataset", { hint: "Check the path of the dataset." })
    : notAllowed();
}

function notAllowed(cause?: unknown): DatasetError {
  return new DatasetError(Reason.PATH_NOT_ALLOWED, "The path of the dataset is not under a data root", {
    hint: "Put the data under a folder that ODG_DATA_ROOTS names, or link no path out of it.",
    cause,
  });
}

function refuseOddUri(uri: string): void {
  if (uri.trim() === "") throw new DatasetError(Reason.INPUT_INVALID, "The path of the dataset is empty");
  if (WINDOWS_DRIVE.test(uri) || uri.startsWith("\\\\") || uri.startsWith("//")) throw notAllowed();
  const scheme = SCHEME.exec(uri)?.[0].toLowerCase();
  if (scheme === "file:") throw notAllowed();
  if (scheme && /^[a-z0-9+.-]+:\/\//i.test(uri)) throw remote(scheme);
  if (uri.includes("\0") || ESCAPED.test(uri) || hasControl(uri)) throw notAllowed();
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 32) return true;
  return false;
}

function remote(scheme: string): DatasetError {
  const name = scheme.slice(0, -1).toUpperCase();
  return new DatasetError(
    Reason.EGRESS_DENIED,
    `No connector for ${name} is configured, so its hosts are not allowed`,
    {
      subject: scheme.slice(0, -1),
      hint: "Copy the data under a data root, or name a local path.",
    },
  );
}

/** Paths that the uri may mean and that the policy allows, as far as their text tells; links are checked in {@link lookAt}. */
async function candidates(uri: string, policy: PathPolicy): Promise<string[]> {
  const bases = isAbsolute(uri) ? [""] : [process.cwd(), ...policy.roots];
  const grounds = await groundsOf(policy);
  const found: string[] = [];
  for (const base of bases) {
    const path = base ? resolve(base, uri) : resolve(uri);
    const real = await realOf(path);
    if (grounds.some((ground) => real === ground || real.startsWith(ground.endsWith(sep) ? ground : ground + sep)))
      found.push(real);
  }
  return [...new Set(found)];
}

/** Real folders under which a file may lie: the roots, and the folder of each allowed path. */
async function groundsOf(policy: PathPolicy): Promise<string[]> {
  const roots = await Promise.all(policy.roots.map((root) => realOf(resolve(root))));
  const typed = await Promise.all(
    policy.allowedPaths.map(async (path) => {
      const real = await realOf(resolve(path));
      return [real, dirname(real)];
    }),
  );
  return [...roots, ...typed.flat()].filter((ground) => ground !== sep);
}

/** The path with its links resolved; of a path that is not there, the links of the part that is. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw notAllowed(error);
    const parent = dirname(path);
    if (parent === path) return path;
    // A link to nowhere may point out of the root once its target appears.
    if ((await lstat(path).catch(() => undefined))?.isSymbolicLink()) throw notAllowed(error);
    return resolve(await realOf(parent), path.slice(parent.length).replace(/^[\\/]+/, ""));
  }
}

async function lookAt(path: string): Promise<AllowedFile | undefined> {
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw notAllowed(error);
  }
  if (stats.isDirectory()) {
    throw new DatasetError(Reason.PATH_NOT_ALLOWED, "The path of the dataset is a folder", {
      hint: "Name one file: parquet, CSV or JSON.",
    });
  }
  if (!stats.isFile()) throw notAllowed();
  return { path, stats };
}
