import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { type Expert, PROTOCOL_VERSION } from "@odg/expert-plugin-api";
import { type DescribeResponse, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import * as z from "zod";
import type { Logger } from "../logger.ts";
import type { ExpertInstance } from "./registry.ts";

/** A plugin that cannot be used, and why. */
export class PlacementError extends Error {
  override readonly name = "PlacementError";
}

/** An expert that was reached for the first time. */
export interface Placed {
  description: DescribeResponse;
  packageName: string;
  instance: ExpertInstance;
}

const manifestSchema = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  odg: z.object({ role: z.literal("expert"), protocol: z.number().int() }),
});

/**
 * Placement `module`: the plugin runs in this process, behind the same service that it would serve elsewhere.
 *
 * @param plugin Name of an installed package, or the folder of one.
 * @throws PlacementError that says what is wrong with the package.
 */
export async function placeModule(
  plugin: string,
  { host, logger }: { host: Transport; logger: Logger },
): Promise<Placed> {
  const { packageRoot, entry } = locate(plugin);
  const manifest = readManifest(packageRoot, plugin);
  const expert = await load(entry, plugin);
  const interceptors = [faultsTo(logger, manifest.name)];
  const client = createClient(
    ExpertService,
    createRouterTransport(expert.routes({ host }), { router: { interceptors } }),
  );
  const description = await client.describe({});
  if (description.protocol !== PROTOCOL_VERSION) {
    throw new PlacementError(
      `${plugin} speaks protocol ${description.protocol}; this engine speaks ${PROTOCOL_VERSION}`,
    );
  }
  if (description.version !== manifest.version) {
    throw new PlacementError(
      `${plugin}: Describe says version ${description.version}, its package.json ${manifest.version}`,
    );
  }
  const instance: ExpertInstance = {
    id: `${description.name}@${description.version}#1`,
    client,
    packageRoot,
    healthy: true,
    load: 0,
    close: async () => undefined,
  };
  return { description, packageName: manifest.name, instance };
}

function locate(plugin: string): { packageRoot: string; entry: string } {
  const require = createRequire(import.meta.url);
  try {
    const entry = realpathSync(require.resolve(plugin));
    return { entry, packageRoot: packageRootOf(entry) };
  } catch (error) {
    const hint = isAbsolute(plugin) ? "is it the folder of a package?" : "is it installed?";
    throw new PlacementError(`the plugin ${plugin} cannot be found: ${hint}`, { cause: error });
  }
}

function packageRootOf(entry: string): string {
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  throw new PlacementError(`no package.json above ${entry}`);
}

function readManifest(packageRoot: string, plugin: string): z.infer<typeof manifestSchema> {
  const parsed = manifestSchema.safeParse(JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")));
  if (!parsed.success)
    throw new PlacementError(`${plugin}: package.json is no expert's: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.odg.protocol !== PROTOCOL_VERSION) {
    throw new PlacementError(
      `${plugin} was made for protocol ${parsed.data.odg.protocol}; this engine speaks ${PROTOCOL_VERSION}`,
    );
  }
  return parsed.data;
}

async function load(entry: string, plugin: string): Promise<Expert> {
  let loaded: { default?: Partial<Expert> };
  try {
    loaded = (await import(pathToFileURL(entry).href)) as typeof loaded;
  } catch (error) {
    throw new PlacementError(`${plugin} fails while it is loaded`, { cause: error });
  }
  // Its own copy of the API may have made it: only the shape counts, never instanceof.
  if (typeof loaded.default?.routes !== "function") {
    throw new PlacementError(`${plugin} has no expert as its default export`);
  }
  return loaded.default as Expert;
}

/**
 * Logs where in its code an expert threw what is no answer of its own: behind the service only "internal error" is left. The message
 * stays out of the log, for it may quote the data.
 */
function faultsTo(logger: Logger, packageName: string): Interceptor {
  const tell = (error: unknown) => {
    if (error instanceof ConnectError || !(error instanceof Error)) return;
    const places = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
    logger.warn({ package: packageName, type: error.name, at: places.map((line) => line.trim()) }, "an expert threw");
  };
  return (next) => async (request) => {
    const response = await next(request);
    return response.stream ? { ...response, message: telling(response.message, tell) } : response;
  };
}

async function* telling<T>(messages: AsyncIterable<T>, tell: (error: unknown) => void): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    tell(error);
    throw error;
  }
}
