import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";

/**
 * URL of a worker module, links resolved, if it lies in the expert's package.
 * @throws DatasetError PATH_NOT_ALLOWED, NOT_FOUND
 */
export async function moduleInside(module: string, packageRoot: string): Promise<string> {
  let path: string;
  try {
    path = module.startsWith("file:") ? fileURLToPath(module) : module;
  } catch (cause) {
    throw outside(cause);
  }
  if (/^[a-z]+:/i.test(path)) throw outside();
  try {
    const [real, root] = await Promise.all([realpath(path), realpath(packageRoot)]);
    if (!real.startsWith(root + sep)) throw outside();
    return pathToFileURL(real).href;
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw outside(cause);
    throw new DatasetError(Reason.NOT_FOUND, "The worker module does not exist", { cause });
  }
}

function outside(cause?: unknown): DatasetError {
  return new DatasetError(Reason.PATH_NOT_ALLOWED, "The worker module does not lie in the package of its expert", {
    cause,
  });
}
