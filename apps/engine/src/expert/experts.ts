import { resolve } from "node:path";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { inProcessTransport, type RpcServer, reject, type ServerOptions, startServer } from "@odg/rpc";
import type { Logger } from "../logger.ts";
import { adapterErrors } from "../run/failure.ts";
import { AllowList } from "./allow-list.ts";
import type { HostGate } from "./host-service.ts";
import { type ExpertPackage, findPackage } from "./package.ts";
import { type Placed, placeModule } from "./placement.ts";
import { PlacementError } from "./placement-error.ts";
import { PlacementFolder, removeLeftFolders } from "./placement-folder.ts";
import type { ExpertRegistry, RegisteredExpert } from "./registry.ts";
import { RemoteExpert } from "./remote-placement.ts";
import type { RemoteTls } from "./remote-transport.ts";
import { type ExpertSpec, isLoopback, nameOf, parseSpec } from "./spec.ts";
import { PATIENCE, SupervisedProcess } from "./supervisor.ts";
import { refuseBuiltIn } from "./trust.ts";

/** What experts are placed with. */
export interface ExpertsOptions {
  readonly host: HostGate;
  readonly registry: ExpertRegistry;
  readonly logger: Logger;
  /** Where remote experts ask back; a free port of the loopback interface where absent. */
  readonly hostListen?: { readonly host: string; readonly port: number };
  /** Certificate and key of that door; without them it is open to read on its way. */
  readonly hostTls?: ServerOptions["tls"];
  /** What remote experts want to see. */
  readonly remoteToken?: string;
  /** Whether that may travel unencrypted beyond this machine. */
  readonly remoteTokenInPlain?: boolean;
  /** With what experts behind TLS are met. */
  readonly remoteTls?: RemoteTls;
  /** What may be registered while the engine runs, as entries of ODG_EXPERTS with `*`; nothing where absent. */
  readonly registerAllow?: readonly string[];
  /** Time in quarantine before a process that crashed too often is tried once more, in ms; five minutes where absent. */
  readonly coolDownMs?: number;
}

/** All experts of an engine by their placements, and the doors by which those outside of this process ask back. */
export class Experts {
  readonly #options: ExpertsOptions;
  readonly #allowed: AllowList;
  readonly #opened: { close(): Promise<unknown> }[] = [];
  #folder: Promise<PlacementFolder> | undefined;
  #processDoor: Promise<RpcServer> | undefined;
  #remoteDoor: Promise<RpcServer> | undefined;
  /** What was registered, by entry and bytes: the same again is no further instance. */
  readonly #registered = new Map<string, () => RegisteredExpert[]>();
  /** Entries that were refused until somebody approves them, by package and version. */
  readonly #waiting = new Map<string, string>();
  /** One registration at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ExpertsOptions) {
    this.#options = options;
    this.#allowed = new AllowList(options.registerAllow ?? []);
  }

  /**
   * Places what the entries name; those of a list come up together.
   * @throws PlacementError, or ConnectError of Trust, of the first that cannot be used. A remote one that does not answer yet is waited
   * for in the background.
   */
  async place(entries: readonly string[]): Promise<void> {
    await removeLeftFolders(this.#options.logger);
    const specs = entries.map(parseSpec);
    const results = await Promise.allSettled(specs.map((spec) => this.#place(spec)));
    const failed = results.find((result) => result.status === "rejected");
    // In the order of the list, so that the first of a name is the same at every start.
    for (const result of results) if (result.status === "fulfilled") await this.#register(result.value);
    if (failed) throw failed.reason;
    await Promise.all(specs.map((spec) => this.#placeRemote(spec, true)));
  }

  /**
   * Places an expert while the engine runs. Answers what is registered; empty where a remote one does not answer yet.
   *
   * @param entry As in ODG_EXPERTS.
   * @throws ConnectError FIELD_FORMAT, POLICY_DENIED, EXPERT_UNAVAILABLE, and those of Trust
   */
  register(entry: string): Promise<RegisteredExpert[]> {
    const mine = this.#last.then(() => this.#registerNow(entry));
    this.#last = mine.catch(() => undefined); // Told to whoever asked; the next one only waits for it.
    return mine;
  }

  /**
   * Grants what a package waits for, and places it where it was to be registered.
   * @throws ConnectError of {@link register} and of Trust.approve
   */
  async approve(packageName: string, version: string, digest: string): Promise<RegisteredExpert[]> {
    await this.#options.registry.trust.approve(packageName, version, digest);
    const key = `${packageName}@${version}`;
    this.#options.logger.info({ package: key }, "the permissions of a package were approved");
    const entry = this.#waiting.get(key);
    this.#waiting.delete(key);
    return entry === undefined ? [] : this.register(entry);
  }

  /**
   * Starts the quarantined processes of an expert.
   * @throws ConnectError STATE_INVALID where none is quarantined
   */
  async restart(expert: RegisteredExpert): Promise<void> {
    const revived = await Promise.all(expert.instances.map((instance) => instance.revive?.() ?? false));
    if (!revived.includes(true))
      throw reject(Reason.STATE_INVALID, { message: `no process of ${expert.id} is quarantined`, field: "expert_id" });
    this.#options.logger.info({ expert: expert.id }, "an expert was restarted by hand");
  }

  /** Closes the doors; the instances belong to the registry. */
  async close(): Promise<void> {
    await this.#last;
    await Promise.all(this.#opened.map((one) => one.close()));
    await (await this.#folder)?.remove();
  }

  async #registerNow(entry: string): Promise<RegisteredExpert[]> {
    const spec = specOf(entry);
    const expert = spec.kind === "remote" ? undefined : this.#allowed.find(spec);
    if (!expert) this.#allowed.checkRemote(spec);
    const key = [nameOf(spec, expert?.root), expert?.version, expert?.digest].join(" ");
    const known = this.#registered.get(key);
    if (known) return known();
    const placed = await this.#placeOnce(entry, spec, expert).catch((error: unknown) => {
      if (!(error instanceof PlacementError)) throw error;
      throw reject(Reason.EXPERT_UNAVAILABLE, { message: error.message, field: "spec", cause: error });
    });
    this.#registered.set(key, () => (spec.kind === "remote" ? this.#at(spec.target) : placed));
    this.#options.logger.info({ entry, experts: placed.map(({ id }) => id) }, "an expert was registered");
    return placed;
  }

  async #placeOnce(entry: string, spec: ExpertSpec, expert: ExpertPackage | undefined): Promise<RegisteredExpert[]> {
    if (!expert) return this.#placeRemote(spec, false);
    const key = `${expert.name}@${expert.version}`;
    this.#waiting.set(key, entry);
    const placed = await this.#place(spec);
    try {
      const registered = await this.#register(placed);
      this.#waiting.delete(key);
      return registered;
    } catch (error) {
      await Promise.all(placed.map(({ instance }) => instance.close()));
      throw error;
    }
  }

  async #place(spec: ExpertSpec): Promise<Placed[]> {
    if (spec.kind === "remote") return [];
    const expert = findPackage(spec.plugin);
    const publisher = await this.#options.registry.trust.admit(expert);
    if (spec.kind === "process") return this.#placeProcesses(expert, publisher, spec.instances);
    const { host, logger } = this.#options;
    const transport = inProcessTransport(host.routes, { interceptors: [adapterErrors], logger });
    return [await placeModule(expert, { host: transport, logger, publisher })];
  }

  async #placeProcesses(expert: ExpertPackage, publisher: string, instances: number): Promise<Placed[]> {
    await this.#openProcessDoor();
    const folder = await this.#folderOf();
    const { logger, registry, coolDownMs = PATIENCE.coolDownMs } = this.#options;
    const one = async (): Promise<Placed> => {
      const { instance, description } = await SupervisedProcess.start({
        expert,
        hostSocket: folder.door,
        socketPath: resolve(await folder.ownFolder(), "socket"),
        logger,
        changed: () => registry.changed(),
        patience: { ...PATIENCE, coolDownMs },
      });
      // Until the registry has it, which closes it again.
      this.#opened.push(instance);
      const { name: packageName, permissions, digest } = expert;
      return { description, packageName, placement: "process", permissions, digest, publisher, instance };
    };
    // All of them settle first, so that none comes up behind the back of a failure.
    const results = await Promise.allSettled(Array.from({ length: instances }, one));
    return results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  /** @param byOperator Whether the operator named it at the start: only then it may have the name of a built-in expert. */
  async #placeRemote(spec: ExpertSpec, byOperator: boolean): Promise<RegisteredExpert[]> {
    if (spec.kind !== "remote") return [];
    const { logger, registry, remoteToken, remoteTls = {} } = this.#options;
    this.#keepToken(spec);
    await this.#openRemoteDoor();
    const register = async (placed: Placed) => {
      if (!byOperator) refuseBuiltIn(placed.description.name, spec.target);
      return this.#register([placed]);
    };
    const remote = await RemoteExpert.find({
      target: spec.target,
      logger,
      register,
      changed: () => registry.changed(),
      ...(remoteToken ? { token: remoteToken } : {}),
      ...(spec.tls ? { tls: remoteTls } : {}),
    });
    if (!byOperator && remote.refusal !== undefined) {
      await remote.close();
      throw remote.refusal;
    }
    this.#opened.push(remote);
    return this.#at(spec.target);
  }

  /** What answers, or answered, at an address. */
  #at(target: string): RegisteredExpert[] {
    const { registry } = this.#options;
    return registry.list().filter(({ placement, packageName }) => placement === "remote" && packageName === target);
  }

  /** A token that was read on its way lets anybody call the expert in the engine's name. */
  #keepToken(spec: Extract<ExpertSpec, { kind: "remote" }>): void {
    const { remoteToken, remoteTokenInPlain } = this.#options;
    if (!remoteToken || spec.tls || remoteTokenInPlain || isLoopback(spec.target)) return;
    throw new PlacementError(
      `${nameOf(spec)}: the token would travel unencrypted; use remote+tls:${spec.target}, or allow it by ODG_REMOTE_TOKEN_PLAIN=1`,
    );
  }

  async #register(placed: readonly Placed[]): Promise<RegisteredExpert[]> {
    const registered = new Set<RegisteredExpert>();
    for (const { instance, ...expert } of placed)
      registered.add(await this.#options.registry.register(expert, instance));
    return [...registered];
  }

  /** The door for processes: a socket in a folder that only this user may enter. */
  #openProcessDoor(): Promise<RpcServer> {
    this.#processDoor ??= this.#folderOf().then(({ door }) => this.#listen({ socketPath: door }));
    return this.#processDoor;
  }

  #openRemoteDoor(): Promise<RpcServer> {
    const { hostListen, hostTls } = this.#options;
    this.#remoteDoor ??= this.#listen({ ...(hostListen ?? {}), ...(hostTls ? { tls: hostTls } : {}) });
    return this.#remoteDoor;
  }

  #folderOf(): Promise<PlacementFolder> {
    this.#folder ??= PlacementFolder.make();
    return this.#folder;
  }

  async #listen(where: Pick<ServerOptions, "socketPath" | "host" | "port" | "tls">): Promise<RpcServer> {
    const { host, logger } = this.#options;
    const options = { ...where, routes: host.routes, interceptors: [adapterErrors], logger, drainMs: 1_000 };
    const door = await startServer(options).catch((error: NodeJS.ErrnoException) => {
      const place = where.socketPath ?? `port ${where.port ?? 0}`;
      throw new PlacementError(`experts cannot ask back at ${place}: ${error.code ?? error.message}`, { cause: error });
    });
    this.#opened.push(door);
    logger.info({ host: door.h2cUrl }, "experts outside of the engine may ask back here");
    return door;
  }
}

function specOf(entry: string): ExpertSpec {
  try {
    return parseSpec(entry);
  } catch (error) {
    if (!(error instanceof PlacementError)) throw error;
    throw reject(Reason.FIELD_FORMAT, { message: error.message, field: "spec", cause: error });
  }
}
