import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type * as z from "zod";
import type { Datasets } from "./dataset.ts";
import type { FindingInit } from "./finding.ts";
import { type ExpertRoutes, expertRoutes } from "./routes.ts";

/** A shared value of the run and where it comes from. */
export interface SharedValue {
  value: JsonValue;
  /** Counts the writes, from 1. */
  version: number;
  /** Task that wrote it. */
  taskId: string;
  /** Expert that wrote it, with its version. */
  expert: string;
}

/** What the experts of one run share. Reads see committed values; writes are committed when the task completes. */
export interface SharedContext {
  /** The committed value; `undefined` where nobody wrote one. */
  get(key: string): Promise<SharedValue | undefined>;
  /** All committed values by key. */
  all(): Promise<Record<string, SharedValue>>;
  /**
   * Shares a value when the task completes. With `expectedVersion` the attempt fails, and may be retried, where
   * somebody wrote another version first; 0 means that the key must be new. Without it the attempt fails, and may be
   * retried, where another task wrote the key since the attempt began.
   */
  set(key: string, value: JsonValue, options?: { expectedVersion?: number }): void;
}

/** A passage of the knowledge base. */
export interface KnowledgePassage {
  id: string;
  text: string;
  /** From 0 to 1. */
  score: number;
  source: string;
}

/** What an action gets to work with. Everything else of the machine is out of reach by design. */
export interface ActionContext {
  readonly runId: string;
  readonly taskId: string;
  /** From 1. */
  readonly attempt: number;
  /** The same for every attempt that may repeat an effect: hand it to whatever you change outside. */
  readonly idempotencyKey: string;
  /** Aborted on cancellation and at the deadline. */
  readonly signal: AbortSignal;
  /** Outputs of the predecessors by task id. */
  readonly upstream: Readonly<Record<string, JsonValue>>;
  readonly datasets: Datasets;
  readonly context: SharedContext;
  readonly knowledge: {
    /** @throws ConnectError `failed_precondition`, reason KNOWLEDGE_NOT_CONFIGURED, where there is no knowledge base. */
    search(query: string, options?: { limit?: number }): Promise<KnowledgePassage[]>;
  };
  readonly model: {
    /** @throws ConnectError `failed_precondition`, reason MODEL_NOT_CONFIGURED, where there is no model. */
    generate(prompt: string, options?: { schema?: JsonObject }): Promise<{ output: JsonValue; model: string }>;
  };
  /** Runs a worker module in a pool thread: `ctx.offload<Out>(new URL("./worker.ts", import.meta.url), input)`. */
  offload<O = unknown>(module: URL, input: unknown): Promise<O>;
  /** Reports a finding; it is seen at once, and durable when the task completes. */
  finding(finding: FindingInit): void;
  /** Says how far the work is, from 0 to 1. */
  progress(fraction: number, message?: string): void;
  /** The one line that the head of the report shows for this task. */
  summary(text: string): void;
  readonly log: Record<"debug" | "info" | "warn" | "error", (message: string) => void>;
}

/** One thing an expert can do. */
export interface ActionDefinition<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** What the router matches: `security_scanning`. */
  capability: string;
  /** One sentence. */
  description?: string;
  /** Checked before `execute`; published as JSON Schema. */
  input: I;
  /** Checked after `execute`; published as JSON Schema. */
  output: O;
  execute(input: z.output<I>, ctx: ActionContext): Promise<z.input<O>>;
}

/** Gives `execute` the types of its schemas. */
export function action<I extends z.ZodType, O extends z.ZodType>(
  definition: ActionDefinition<I, O>,
): ActionDefinition<I, O> {
  return definition;
}

/** Any action, whatever its schemas. `never` in the argument's place accepts every parameter type. */
export type AnyAction = Omit<ActionDefinition, "execute"> & {
  execute(input: never, ctx: ActionContext): Promise<unknown>;
};

/** What an author writes. */
export interface ExpertDefinition {
  /** Name that workflows use: `SecurityExpert`. */
  name: string;
  /** Semantic version. */
  version: string;
  /** One sentence. */
  description?: string;
  /** Model it would like, by its name in the engine's model configuration. */
  model?: string;
  /** Tasks it works on at once, at most; default 4. */
  maxConcurrentTasks?: number;
  actions: Record<string, AnyAction>;
}

/** The default export of a plugin package. */
export interface Expert extends Readonly<ExpertDefinition> {
  /** What any server or in-memory transport can serve. `host` leads to the engine's HostService. */
  routes(options: { host: Transport }): ExpertRoutes;
}

const NAME = /^[A-Z][A-Za-z0-9]{1,62}$/;
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
const ACTION = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * Makes an expert of its definition: the default export of a plugin package.
 *
 * @throws TypeError that names what is wrong with the name, the version or an action.
 */
export function defineExpert(definition: ExpertDefinition): Expert {
  if (!NAME.test(definition.name)) {
    throw new TypeError(`expert name "${definition.name}": a capital, then letters and digits, at most 63`);
  }
  if (!VERSION.test(definition.version)) {
    throw new TypeError(`${definition.name}: version "${definition.version}" is no semantic version, like 1.0.0`);
  }
  const names = Object.keys(definition.actions);
  if (names.length === 0) {
    throw new TypeError(`${definition.name}: an expert needs at least one action`);
  }
  for (const name of names) {
    if (!ACTION.test(name)) throw new TypeError(`${definition.name}: action "${name}" is not in snake_case`);
    if (!definition.actions[name]?.capability) throw new TypeError(`${definition.name}.${name}: capability is empty`);
  }
  return { ...definition, routes: ({ host }) => expertRoutes(definition, host) };
}
