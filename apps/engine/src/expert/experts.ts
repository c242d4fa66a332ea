import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inProcessTransport, type RpcServer, startServer } from "@odg/rpc";
import type { Logger } from "../logger.ts";
import { adapterErrors } from "../run/failure.ts";
import type { HostGate } from "./host-service.ts";
import { findPackage } from "./package.ts";
import { type Placed, placeModule } from "./placement.ts";
import { PlacementError } from "./placement-error.ts";
import type { ExpertRegistry } from "./registry.ts";
import { RemoteExpert } from "./remote-placement.ts";
import { type ExpertSpec, parseSpec } from "./spec.ts";
import { SupervisedProcess } from "./supervisor.ts";

/** What experts are placed with. */
export interface ExpertsOptions {
  readonly host: HostGate;
  readonly registry: ExpertRegistry;
  readonly logger: Logger;
  /** Where remote experts ask back; a free port of the loopback interface where absent. */
  readonly hostListen?: { readonly host: string; readonly port: number };
  /** What remote experts want to see. */
  readonly remoteToken?: string;
}

/** All experts of an engine by their placements, and the doors by which those outside of this process ask back. */
export class Experts {
  readonly #options: ExpertsOptions;
  readonly #opened: { close(): Promise<unknown> }[] = [];
  #folder: Promise<string> | undefined;
  #door: Promise<RpcServer> | undefined;
  #sockets = 0;

  constructor(options: ExpertsOptions) {
    this.#options = options;
  }

  /**
   * Places what the entries name; those of a list come up together.
   * @throws PlacementError of the first that cannot be used. A remote one that does not answer yet is waited for in the background.
   */
  async place(entries: readonly string[]): Promise<void> {
    const specs = entries.map(parseSpec);
    const results = await Promise.allSettled(specs.map((spec) => this.#place(spec)));
    const failed = results.find((result) => result.status === "rejected");
    // In the order of the list, so that the first of a name is the same at every start.
    for (const result of results) if (result.status === "fulfilled") await this.#register(result.value);
    if (failed) throw failed.reason;
    await this.#placeRemotes(specs);
  }

  /** Closes the doors; the instances belong to the registry. */
  async close(): Promise<void> {
    await Promise.all(this.#opened.map((one) => one.close()));
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #place(spec: ExpertSpec): Promise<Placed[]> {
    if (spec.kind === "remote") return [];
    if (spec.kind === "process") return this.#placeProcesses(spec.plugin, spec.instances);
    const { host, logger } = this.#options;
    const transport = inProcessTransport(host.routes, { interceptors: [adapterErrors], logger });
    return [await placeModule(spec.plugin, { host: transport, logger })];
  }

  async #placeProcesses(plugin: string, instances: number): Promise<Placed[]> {
    const expert = findPackage(plugin);
    const { h2cUrl: hostUrl } = await this.#processDoor();
    const { logger, registry } = this.#options;
    const one = async (): Promise<Placed> => {
      const socketPath = join(await this.#socketFolder(), `${++this.#sockets}`);
      const changed = () => registry.changed();
      const { instance, description } = await SupervisedProcess.start({ expert, hostUrl, socketPath, logger, changed });
      // Until the registry has it, which closes it again.
      this.#opened.push(instance);
      const { name: packageName, permissions, digest } = expert;
      return { description, packageName, placement: "process", permissions, digest, instance };
    };
    // All of them settle first, so that none comes up behind the back of a failure.
    const results = await Promise.allSettled(Array.from({ length: instances }, one));
    return results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  async #placeRemotes(specs: readonly ExpertSpec[]): Promise<void> {
    const remotes = specs.filter((spec) => spec.kind === "remote");
    if (remotes.length === 0) return;
    const { logger, registry, remoteToken, hostListen } = this.#options;
    this.#opened.push(await this.#listen({ ...(hostListen ?? {}) }));
    const register = (placed: Placed) => this.#register([placed]);
    const find = ({ target }: { target: string }) =>
      RemoteExpert.find({
        target,
        logger,
        register,
        changed: () => registry.changed(),
        ...(remoteToken ? { token: remoteToken } : {}),
      });
    this.#opened.push(...(await Promise.all(remotes.map(find))));
  }

  async #register(placed: readonly Placed[]): Promise<void> {
    for (const { instance, ...expert } of placed) await this.#options.registry.register(expert, instance);
  }

  /** The door for processes: a socket in a folder that only this user may enter. */
  #processDoor(): Promise<RpcServer> {
    this.#door ??= (async () => {
      const door = await this.#listen({ socketPath: join(await this.#socketFolder(), "host") });
      this.#opened.push(door);
      return door;
    })();
    return this.#door;
  }

  #socketFolder(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "odg-experts-"));
    return this.#folder;
  }

  async #listen(where: { socketPath?: string; host?: string; port?: number }): Promise<RpcServer> {
    const { host, logger } = this.#options;
    const options = { ...where, routes: host.routes, interceptors: [adapterErrors], logger, drainMs: 1_000 };
    const door = await startServer(options).catch((error: NodeJS.ErrnoException) => {
      const place = where.socketPath ?? `port ${where.port ?? 0}`;
      throw new PlacementError(`experts cannot ask back at ${place}: ${error.code ?? error.message}`, { cause: error });
    });
    logger.info({ host: door.h2cUrl }, "experts outside of the engine may ask back here");
    return door;
  }
}
