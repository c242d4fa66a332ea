import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { type Permissions, PROTOCOL_VERSION, permissionsSchema } from "@odg/expert-plugin-api";
import { digestOfFiles, isPublishedCopy, packageFiles } from "@odg/expert-plugin-api/package";
import * as z from "zod";
import { PlacementError } from "./placement-error.ts";

/** An expert's package, as it is installed. */
export interface ExpertPackage {
  /** What the operator wrote: a package's name, or its folder. */
  readonly plugin: string;
  readonly name: string;
  readonly version: string;
  /** Folder, links resolved. */
  readonly root: string;
  /** File of its default export. */
  readonly entry: string;
  /** Heap that the expert may use in a process of its own, in MiB. */
  readonly memoryMb: number;
  /** What it asks for, which is what it is granted. */
  readonly permissions: Permissions;
  /** Hash of its files; empty for a folder in which somebody may be working. */
  readonly digest: string;
}

const manifestSchema = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  odg: z.object({
    role: z.literal("expert"),
    protocol: z.number().int(),
    permissions: permissionsSchema.prefault({}),
  }),
});

/**
 * Finds an expert's package and reads what its manifest says.
 *
 * @throws PlacementError that says what is wrong with it.
 */
export function findPackage(plugin: string): ExpertPackage {
  const entry = entryOf(plugin);
  const root = packageRootOf(entry);
  const { name, version, odg } = readManifest(root, plugin);
  return {
    plugin,
    name,
    version,
    root,
    entry,
    memoryMb: odg.permissions.memory_mb,
    permissions: odg.permissions,
    digest: isPublishedCopy(root) ? digestOfFiles(root, packageFiles(root)) : "",
  };
}

function entryOf(plugin: string): string {
  try {
    return realpathSync(createRequire(import.meta.url).resolve(plugin));
  } catch (error) {
    const hint = isAbsolute(plugin) ? "is it the folder of a package?" : "is it installed?";
    throw new PlacementError(`the plugin ${plugin} cannot be found: ${hint}`, { cause: error });
  }
}

/** Folder of the package that a file belongs to. @throws PlacementError */
export function packageRootOf(entry: string): string {
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  throw new PlacementError(`no package.json above ${entry}`);
}

function readManifest(root: string, plugin: string): z.infer<typeof manifestSchema> {
  const parsed = manifestSchema.safeParse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  if (!parsed.success)
    throw new PlacementError(`${plugin}: package.json is no expert's: ${z.prettifyError(parsed.error)}`);
  const { protocol } = parsed.data.odg;
  if (protocol !== PROTOCOL_VERSION)
    throw new PlacementError(`${plugin} was made for protocol ${protocol}; this engine speaks ${PROTOCOL_VERSION}`);
  return parsed.data;
}
