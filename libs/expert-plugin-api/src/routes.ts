import { create, fromJson, type JsonObject, type JsonValue, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type CallOptions,
  type Client,
  type ConnectRouter,
  createClient,
  type HandlerContext,
  type Transport,
} from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  type ContextWriteSchema,
  type DescribeResponseSchema,
  type ExecuteRequest,
  type ExecuteResponse,
  ExecuteResponseSchema,
  ExpertService,
  HostService,
} from "@odg/proto/odg/expert/v1/expert_pb";
import { reject } from "@odg/rpc";
import * as z from "zod";
import { Channel } from "./channel.ts";
import { hostDatasets } from "./dataset.ts";
import type { ActionContext, AnyAction, ExpertDefinition, SharedContext } from "./expert.ts";
import { toFinding } from "./finding.ts";
import { HOST_TOKEN_HEADER, PROTOCOL_VERSION } from "./protocol.ts";

/** The unit that any Connect server or in-memory transport accepts. */
export type ExpertRoutes = (router: ConnectRouter) => void;

type Host = Client<typeof HostService>;

/** ExpertService for a definition. `host` leads to the engine's HostService. */
export function expertRoutes(definition: ExpertDefinition, host: Transport): ExpertRoutes {
  const client = createClient(HostService, host);
  return (router) => {
    router.service(ExpertService, {
      describe: () => describe(definition),
      execute: (request, context) => execute(definition, { client, request, context }),
    });
  };
}

function describe(definition: ExpertDefinition): MessageInitShape<typeof DescribeResponseSchema> {
  return {
    name: definition.name,
    version: definition.version,
    protocol: PROTOCOL_VERSION,
    description: definition.description ?? "",
    model: definition.model ?? "",
    maxConcurrentTasks: definition.maxConcurrentTasks ?? 4,
    actions: Object.entries(definition.actions).map(([name, one]) => ({
      name,
      capability: one.capability,
      description: one.description ?? "",
      inputSchema: jsonSchema(one.input, "input"),
      outputSchema: jsonSchema(one.output, "output"),
    })),
  };
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): JsonObject {
  return z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonObject;
}

/** Why the signal of an attempt is aborted that has ended, or that nobody reads any more. One for all: an exception costs its stack. */
const OVER = new DOMException("the attempt is over", "AbortError");

interface Call {
  client: Host;
  request: ExecuteRequest;
  context: HandlerContext;
}

async function* execute(definition: ExpertDefinition, call: Call): AsyncGenerator<ExecuteResponse, void, undefined> {
  const { request, context } = call;
  const chosen = Object.hasOwn(definition.actions, request.action) ? definition.actions[request.action] : undefined;
  if (!chosen) {
    throw reject(Reason.EXPERT_UNAVAILABLE, {
      message: `${definition.name}@${definition.version} has no action "${request.action}"`,
      field: "action",
      hint: `It has: ${Object.keys(definition.actions).join(", ")}.`,
    });
  }
  const input = parseInput(chosen, request);
  const stop = new AbortController();
  const attempt = new Attempt(call, stop.signal);
  // The caller gets its answer at once, even where the action does not look at its signal.
  const leave = () => {
    attempt.channel.end(context.signal.reason);
    stop.abort(context.signal.reason);
  };
  context.signal.addEventListener("abort", leave, { once: true });
  if (context.signal.aborted) leave();
  try {
    void attempt.perform(chosen, input);
    yield* attempt.channel;
  } finally {
    context.signal.removeEventListener("abort", leave);
    // The reader may have gone before the end: nobody needs the work any more.
    stop.abort(OVER);
  }
}

function parseInput(chosen: AnyAction, request: ExecuteRequest): unknown {
  const parsed = chosen.input.safeParse(request.input ?? {});
  if (parsed.success) return parsed.data;
  throw reject(Reason.INPUT_INVALID, {
    message: `the input of "${request.action}" does not satisfy its schema: ${z.prettifyError(parsed.error)}`,
    fields: parsed.error.issues.map((issue) => ({
      field: `input${pathOf(issue.path)}`,
      description: issue.message,
    })),
  });
}

/** One attempt at work: collects what the action says and turns its answer into the result message. */
class Attempt {
  readonly channel = new Channel<ExecuteResponse>();
  #call: Call;
  #signal: AbortSignal;
  #writes: MessageInitShape<typeof ContextWriteSchema>[] = [];
  #summary = "";

  constructor(call: Call, signal: AbortSignal) {
    this.#call = call;
    this.#signal = signal;
  }

  async perform(chosen: AnyAction, input: unknown): Promise<void> {
    try {
      // The schema has just given `input` the type that `execute` wants.
      const answer = await chosen.execute(input as never, this.#context());
      const parsed = chosen.output.safeParse(answer);
      if (!parsed.success) {
        throw reject(Reason.OUTPUT_INVALID, {
          message: `the output of "${this.#call.request.action}" does not satisfy its schema: ${z.prettifyError(parsed.error)}`,
        });
      }
      this.#say({
        case: "result",
        value: { output: toValue(parsed.data), contextWrites: this.#writes, summary: this.#summary },
      });
      this.channel.end();
    } catch (error) {
      this.channel.end(error);
    }
  }

  #say(message: MessageInitShape<typeof ExecuteResponseSchema>["message"]): void {
    this.channel.push(create(ExecuteResponseSchema, { message }));
  }

  #context(): ActionContext {
    const { client, request } = this.#call;
    const signal = this.#signal;
    const options = { headers: { [HOST_TOKEN_HEADER]: request.hostToken }, signal };
    const log = (level: string) => (message: string) => this.#say({ case: "log", value: { level, message } });
    return {
      runId: request.runId,
      taskId: request.taskId,
      attempt: request.attempt,
      idempotencyKey: request.idempotencyKey,
      signal,
      upstream: Object.fromEntries(
        Object.entries(request.upstream).map(([id, value]) => [id, toJson(ValueSchema, value)]),
      ),
      datasets: hostDatasets(client, options),
      context: this.#shared(options),
      knowledge: {
        search: async (query, { limit = 8 } = {}) =>
          (await client.searchKnowledge({ query, limit }, options)).passages.map(({ id, text, score, source }) => ({
            id,
            text,
            score,
            source,
          })),
      },
      model: {
        generate: async (prompt, { schema } = {}) => {
          const answer = await client.generate({ prompt, schema }, options);
          return { output: answer.output ? toJson(ValueSchema, answer.output) : null, model: answer.model };
        },
      },
      offload: async <O>(module: URL, input: unknown) => {
        const answer = await client.offload({ module: module.href, input: toValue(input) }, options);
        return (answer.output ? toJson(ValueSchema, answer.output) : null) as O;
      },
      finding: (finding) => this.#say({ case: "finding", value: toFinding(finding) }),
      progress: (fraction, message = "") =>
        this.#say({ case: "progress", value: { fraction: Math.min(1, Math.max(0, fraction)), message } }),
      summary: (text) => {
        this.#summary = text;
      },
      log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    };
  }

  #shared(options: CallOptions): SharedContext {
    const { client } = this.#call;
    const read = async (keys: string[]) => {
      const { entries } = await client.getContext({ keys }, options);
      return entries.map(({ key, value, version, taskId, expert }) => ({
        key,
        shared: { value: value ? toJson(ValueSchema, value) : null, version: Number(version), taskId, expert },
      }));
    };
    return {
      get: async (key) => (await read([key]))[0]?.shared,
      all: async () => Object.fromEntries((await read([])).map(({ key, shared }) => [key, shared])),
      set: (key, value, { expectedVersion } = {}) => {
        this.#writes.push({
          key,
          value: toValue(value),
          ...(expectedVersion === undefined ? {} : { expectedVersion: BigInt(expectedVersion) }),
        });
      },
    };
  }
}

/** JSON-like data as a message; what JSON would drop (`undefined` members) is dropped. */
function toValue(data: unknown) {
  return fromJson(ValueSchema, JSON.parse(JSON.stringify(data ?? null)) as JsonValue);
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
}
