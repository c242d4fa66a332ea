import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Permissions } from "@odg/expert-plugin-api";
import {
  type ExpertRegistration,
  ExpertRegistrationSchema,
  ExpertStatus,
} from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import type { DescribeResponse, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import semver from "semver";
import type { ExpertRecord, Store } from "../store/store.ts";
import { PlacementError } from "./placement-error.ts";
import { Trust, type TrustPolicy } from "./trust.ts";

/** One running copy of an expert. */
export interface ExpertInstance {
  /** `SchemaExpert@1.0.0#1`; the registry gives it. */
  id: string;
  readonly client: Client<typeof ExpertService>;
  /** Folder of the package, for its worker modules; empty where the expert runs elsewhere. */
  readonly packageRoot: string;
  /** Whether it answers. */
  healthy: boolean;
  /** Whether it does not answer now, but is being brought back: tasks wait for it. */
  recovering?: boolean;
  /** Why it does not answer, in words that follow "is offline: ". */
  trouble?: string;
  /** Tasks that it works on now. */
  load: number;
  /** Brings it back where it was given up; absent where the engine does not start it. Answers whether that was so. */
  revive?(): Promise<boolean>;
  close(): Promise<void>;
}

/** An expert in one version, and its instances. */
export interface RegisteredExpert {
  /** `SchemaExpert@1.0.0`. */
  readonly id: string;
  readonly description: DescribeResponse;
  readonly placement: ExpertRecord["placement"];
  readonly packageName: string;
  readonly permissions: Permissions;
  /** Hash of the package's files; empty where they may change. */
  readonly digest: string;
  /** Trusted publisher that signed it; empty where there is none. */
  readonly publisher: string;
  readonly instances: ExpertInstance[];
  averageLatencyMs: number;
}

/** Weight of the newest sample in the mean latency. */
const ALPHA = 0.2;

/** The experts that this engine reaches, and the record of them in the store. */
export class ExpertRegistry {
  #store: Store;
  /** What packages are held to. */
  readonly trust: Trust;
  #experts = new Map<string, RegisteredExpert>();
  #listeners = new Set<() => void>();
  /** What the store was told last. */
  #statuses = new Map<string, ExpertRecord["status"]>();

  /** @param policy Whom the operator trusts; nobody in particular where absent. */
  constructor(store: Store, policy: Partial<TrustPolicy> = {}) {
    this.#store = store;
    this.trust = new Trust(store, policy);
  }

  /**
   * Adds an instance; the first of its version registers the expert.
   * @throws PlacementError where another package has the name already; ConnectError as Trust.check, where its package is not to be trusted.
   */
  async register(
    expert: Omit<RegisteredExpert, "id" | "averageLatencyMs" | "instances">,
    instance: ExpertInstance,
  ): Promise<RegisteredExpert> {
    const { name, version } = expert.description;
    const id = `${name}@${version}`;
    this.#keepName(expert);
    const known = this.#experts.get(id);
    if (known) {
      known.instances.push(instance);
      instance.id = `${id}#${known.instances.length}`;
      this.changed();
      return known;
    }
    instance.id = `${id}#1`;
    const registered: RegisteredExpert = { ...expert, id, instances: [instance], averageLatencyMs: 0 };
    const record = this.#record(registered);
    await this.trust.check(record);
    this.#experts.set(id, registered);
    const kept = (await this.#grantedHere(record)) ?? (await this.#store.putExpert(record));
    registered.averageLatencyMs = kept.averageLatencyMs;
    this.#statuses.set(id, statusOf(registered));
    this.changed();
    return registered;
  }

  /** The record of a package of the same name and version, where a remote expert would take its place, and with it what it was granted. */
  async #grantedHere({ expertId, placement }: ExpertRecord): Promise<ExpertRecord | undefined> {
    if (placement !== "remote") return undefined;
    const known = await this.#store.listExperts();
    return known.find((one) => one.expertId === expertId && one.placement !== "remote");
  }

  /** All experts, by name, newest version first. */
  list(): RegisteredExpert[] {
    return [...this.#experts.values()].sort(
      (a, b) =>
        (a.description.name < b.description.name ? -1 : a.description.name > b.description.name ? 1 : 0) ||
        semver.rcompare(a.description.version, b.description.version),
    );
  }

  get(id: string): RegisteredExpert | undefined {
    return this.#experts.get(id);
  }

  /** Takes a time into the mean. The store follows; where it does not, the mean is only a little older there. */
  async recordLatency(expert: RegisteredExpert, ms: number): Promise<void> {
    expert.averageLatencyMs = expert.averageLatencyMs === 0 ? ms : (1 - ALPHA) * expert.averageLatencyMs + ALPHA * ms;
    await this.#store.updateExpert(expert.id, { averageLatencyMs: expert.averageLatencyMs, status: statusOf(expert) });
  }

  /** Calls `listener` whenever an instance came, went or came back. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** To be called by placements: an instance went or came back. */
  changed(): void {
    for (const expert of this.#experts.values()) this.#tellStore(expert);
    for (const listener of this.#listeners) listener();
  }

  #tellStore(expert: RegisteredExpert): void {
    const status = statusOf(expert);
    const before = this.#statuses.get(expert.id);
    if (before === undefined || (before === "offline") === (status === "offline")) return;
    this.#statuses.set(expert.id, status);
    // The next change, or the next task, tells it again; until then the record is only older than the truth.
    this.#store.updateExpert(expert.id, { status }).catch(() => this.#statuses.set(expert.id, before));
  }

  /** A package cannot take over what tasks ask of another by calling itself the same, in a newer version. */
  #keepName({
    description: { name },
    packageName,
    placement,
  }: Pick<RegisteredExpert, "description" | "packageName" | "placement">) {
    if (placement === "remote") return;
    const owner = this.list().find((one) => one.placement !== "remote" && one.description.name === name);
    if (!owner || owner.packageName === packageName) return;
    throw new PlacementError(`the package ${packageName} says that it is ${name}, which is ${owner.packageName}`);
  }

  async close(): Promise<void> {
    const instances = this.list().flatMap((expert) => expert.instances);
    await Promise.allSettled(instances.map((instance) => instance.close()));
    await Promise.allSettled(this.list().map(({ id }) => this.#store.updateExpert(id, { status: "offline" })));
  }

  #record(expert: RegisteredExpert): ExpertRecord {
    const { description } = expert;
    return {
      expertId: expert.id,
      expertName: description.name,
      version: description.version,
      capabilities: capabilitiesOf(expert),
      modelBackend: description.model,
      maxConcurrentTasks: maxConcurrentTasks(expert),
      averageLatencyMs: expert.averageLatencyMs,
      status: statusOf(expert),
      placement: expert.placement,
      packageName: expert.packageName,
      permissions: JSON.stringify(expert.permissions),
      digest: expert.digest,
      publisher: expert.publisher,
      approval: "",
    };
  }
}

/** Capabilities of an expert, without repeats, in order. */
export function capabilitiesOf({ description }: RegisteredExpert): string[] {
  return [...new Set(description.actions.map(({ capability }) => capability))].sort();
}

/** Tasks that one instance takes at once. */
export function capacityOf({ description }: RegisteredExpert): number {
  return Math.max(1, description.maxConcurrentTasks);
}

/** Tasks that all instances work on now. */
export function loadOf(expert: RegisteredExpert): number {
  return expert.instances.reduce((sum, { load }) => sum + load, 0);
}

function maxConcurrentTasks(expert: RegisteredExpert): number {
  return capacityOf(expert) * expert.instances.length;
}

/** Whether an expert can be used now. */
export function statusOf(expert: RegisteredExpert): ExpertRecord["status"] {
  const healthy = expert.instances.filter((instance) => instance.healthy);
  if (healthy.length === 0) return expert.instances.some(({ recovering }) => recovering) ? "busy" : "offline";
  return healthy.some((instance) => instance.load < capacityOf(expert)) ? "available" : "busy";
}

const STATUS = {
  available: ExpertStatus.AVAILABLE,
  busy: ExpertStatus.BUSY,
  offline: ExpertStatus.OFFLINE,
};

/** The expert as the catalogue shows it. */
export function registrationOf(expert: RegisteredExpert): ExpertRegistration {
  const { description } = expert;
  return create(ExpertRegistrationSchema, {
    expertId: expert.id,
    expertName: description.name,
    version: description.version,
    capabilities: capabilitiesOf(expert),
    actions: description.actions,
    modelBackend: description.model,
    maxConcurrentTasks: maxConcurrentTasks(expert),
    averageLatencyMs: expert.averageLatencyMs,
    status: STATUS[statusOf(expert)],
    placement: expert.placement,
    currentLoad: loadOf(expert),
    packageName: expert.packageName,
    description: description.description,
    publisher: expert.publisher,
  });
}
