import { pathToFileURL } from "node:url";
import { ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import type { Expert, Permissions } from "@odg/expert-plugin-api";
import { type DescribeResponse, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { memoryClient } from "@odg/rpc";
import type { Logger } from "../logger.ts";
import type { ExpertRecord } from "../store/store.ts";
import { describe } from "./description.ts";
import type { ExpertPackage } from "./package.ts";
import { PlacementError } from "./placement-error.ts";
import type { ExpertInstance } from "./registry.ts";

/** An expert that was reached for the first time. */
export interface Placed {
  description: DescribeResponse;
  packageName: string;
  placement: ExpertRecord["placement"];
  permissions: Permissions;
  digest: string;
  publisher: string;
  instance: ExpertInstance;
}

/**
 * Placement `module`: the plugin runs in this process, behind the same service that it would serve elsewhere.
 *
 * @param publisher Trusted publisher of the package, which was admitted already: from here on its code runs.
 * @throws PlacementError that says what is wrong with the package.
 */
export async function placeModule(
  { plugin, name, version, root, entry, permissions, digest }: ExpertPackage,
  { host, logger, publisher }: { host: Transport; logger: Logger; publisher: string },
): Promise<Placed> {
  const expert = await load(entry, plugin);
  const interceptors = [faultsTo(logger, name)];
  const client = memoryClient(ExpertService, expert.routes({ host }), interceptors);
  const description = await describe(client, plugin, version);
  const instance: ExpertInstance = {
    id: "",
    client,
    packageRoot: root,
    healthy: true,
    load: 0,
    close: async () => undefined,
  };
  return { description, packageName: name, placement: "module", permissions, digest, publisher, instance };
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
