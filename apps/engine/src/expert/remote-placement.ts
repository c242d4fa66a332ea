import { setTimeout as sleep } from "node:timers/promises";
import { equals } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Permissions, permissionsSchema } from "@odg/expert-plugin-api";
import { type DescribeResponse, DescribeResponseSchema, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import type { ClosableTransport } from "@odg/rpc";
import type { Logger } from "../logger.ts";
import { describe } from "./description.ts";
import { isServing, repeat } from "./health-watch.ts";
import type { Placed } from "./placement.ts";
import type { ExpertInstance } from "./registry.ts";
import { grpcTransport, type RemoteTls } from "./remote-transport.ts";
import { watchedTransport } from "./watched-transport.ts";

/** What a remote expert is reached with. */
export interface RemoteOptions {
  /** `dns:///schema-expert:50051`. */
  readonly target: string;
  /** Sent with every call. */
  readonly token?: string;
  /** Without it calls travel unencrypted. */
  readonly tls?: RemoteTls;
  readonly logger: Logger;
  /** Takes in what answers at the address for the first time, or in another version. */
  readonly register: (placed: Placed) => Promise<unknown>;
  /** Told whenever it went or came back. */
  readonly changed: () => void;
}

/** A remote expert has no package to ask in: who names its address grants it the datasets of its tasks. */
const PERMISSIONS: Permissions = permissionsSchema.parse({ datasets: "read", models: true, time_s: 86_400 });

/** Time that an engine waits at its start for a remote expert. */
const FIRST_LOOK_MS = 10_000;

/** An expert that somebody else runs: asked every two seconds whether it serves, and what it is. */
export class RemoteExpert {
  readonly #options: RemoteOptions;
  readonly #transport: ClosableTransport;
  readonly #client: Client<typeof ExpertService>;
  #known: { instance: ExpertInstance; description: DescribeResponse } | undefined;
  #stop: () => void = () => undefined;
  #complaint = "";
  /** What answers there is no expert that this engine can use: waiting does not help. */
  #refused: unknown;
  #looking: Promise<void> | undefined;

  private constructor(options: RemoteOptions) {
    this.#options = options;
    const { target, token, tls } = options;
    this.#transport = grpcTransport(target, { ...(token ? { token } : {}), ...(tls ? { tls } : {}) });
    const explained = async (error: unknown) => {
      if (ConnectError.from(error).code === Code.Unavailable) this.#suspect();
      return error;
    };
    const watch = { current: () => this.#transport, explained, abandoned: () => undefined };
    this.#client = createClient(ExpertService, watchedTransport(watch));
  }

  /** Looks for it for a few seconds, since both may just be starting; where it serves later, it is registered then. */
  static async find(options: RemoteOptions): Promise<RemoteExpert> {
    const remote = new RemoteExpert(options);
    const patience = performance.now() + FIRST_LOOK_MS;
    await remote.#look();
    while (!remote.#known && remote.#refused === undefined && performance.now() < patience) {
      await sleep(100);
      await remote.#look();
    }
    remote.#stop = repeat(() => remote.#look());
    return remote;
  }

  /** Why what answers there is not taken; undefined where it is, or where nobody answers yet. */
  get refusal(): unknown {
    return this.#known ? undefined : this.#refused;
  }

  async close(): Promise<void> {
    this.#stop();
    if (this.#known) this.#known.instance.healthy = false;
    this.#transport.close();
  }

  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    try {
      if (await isServing(this.#transport))
        await this.#serves(await describe(createClient(ExpertService, this.#transport), this.#options.target));
      else this.#away("it does not answer at its address");
      this.#complaint = "";
    } catch (error) {
      // It may be repaired while the engine runs: said once, and looked at again.
      const complaint = error instanceof Error ? error.message : String(error);
      this.#away(complaint);
      if (complaint !== this.#complaint)
        this.#options.logger.warn({ target: this.#options.target, err: error }, "no use");
      this.#complaint = complaint;
      this.#refused = ConnectError.from(error).code === Code.Unavailable ? undefined : error;
    }
  }

  async #serves(description: DescribeResponse): Promise<void> {
    if (this.#known && equals(DescribeResponseSchema, description, this.#known.description)) {
      const { instance } = this.#known;
      if (instance.healthy) return;
      instance.healthy = true;
      delete instance.trouble;
      this.#options.logger.info({ expert: instance.id }, "a remote expert is back");
      this.#options.changed();
      return;
    }
    this.#away("another version answers at its address now");
    const { target, register } = this.#options;
    const instance: ExpertInstance = {
      id: "",
      client: this.#client,
      packageRoot: "",
      healthy: true,
      load: 0,
      close: async () => undefined, // The connection is this object's, whatever answers.
    };
    await register({
      description,
      packageName: target,
      placement: "remote",
      permissions: PERMISSIONS,
      digest: "",
      publisher: "",
      instance,
    });
    this.#known = { instance, description };
  }

  /** A task found nobody: no further one is sent before it is known whether it serves; they wait for that moment. */
  #suspect(): void {
    const instance = this.#known?.instance;
    if (!instance?.healthy) return;
    instance.healthy = false;
    instance.recovering = true;
    instance.trouble = "it does not answer at its address";
    void this.#look().finally(() => {
      instance.recovering = false;
      if (instance.healthy) return;
      this.#options.logger.warn({ expert: instance.id }, "a remote expert is away");
      this.#options.changed();
    });
  }

  #away(trouble: string): void {
    const instance = this.#known?.instance;
    if (!instance?.healthy) return;
    instance.healthy = false;
    instance.trouble = trouble;
    this.#options.logger.warn({ expert: instance.id, trouble }, "a remote expert is away");
    this.#options.changed();
  }
}
