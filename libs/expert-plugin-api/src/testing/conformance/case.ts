import type { JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ExecuteRequest } from "@odg/proto/odg/expert/v1/expert_pb";
import { reasonOf } from "@odg/rpc";
import { type ActionOutcome, executeRequest, outcomeOf, type RunActionOptions } from "../run-action.ts";
import type { ConformanceTarget } from "../target.ts";
import type { TestGrant } from "../test-host.ts";

/** A call that must succeed. */
export interface Sample {
  action: string;
  input: JsonObject;
  options?: RunActionOptions;
}

/** One requirement on an expert; `run` throws where it does not hold. Register it with any test runner. */
export interface ConformanceCase {
  name: string;
  run(): Promise<void>;
}

/** What a call may vary beside its sample. */
export interface AttemptOptions {
  /** Fields of the request that differ from the sample's. */
  request?: Partial<ExecuteRequest>;
  signal?: AbortSignal;
  /** Deadline in milliseconds; {@link PATIENCE_MS} where absent. */
  timeoutMs?: number;
  /** Sees the grant before the call begins. */
  watch?: (grant: TestGrant) => void;
}

/** Longest time of one attempt: a sample is small, and an odd input must not cost more than a good one. */
export const PATIENCE_MS = 20_000;

/** One attempt with a token of its own. @throws ConnectError as an engine would see it; Error without a result. */
export async function attempt(
  target: ConformanceTarget,
  { action, input, options = {} }: Sample,
  { request, signal = options.signal, timeoutMs = PATIENCE_MS, watch }: AttemptOptions = {},
): Promise<ActionOutcome> {
  const grant = target.host.grant(options);
  watch?.(grant);
  const base = executeRequest(action, input, options.upstream);
  const message = { ...base, hostToken: grant.token, ...request };
  try {
    const outcome = await outcomeOf(target.client.execute(message, { timeoutMs, ...(signal ? { signal } : {}) }));
    if (!outcome) throw new Error(`${action} ended without a result`);
    return outcome;
  } finally {
    grant.end();
  }
}

/** What two answers must have in common. */
export function answerOf({ output, findings, contextWrites, summary }: ActionOutcome): string {
  return JSON.stringify(plain({ output, findings, contextWrites, summary }));
}

/** Data with 64-bit integers as text, so that JSON can hold it. */
export function plain(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
}

/** Demands that a call is refused for one of these reasons; answers the error. */
export async function refused(call: () => Promise<unknown>, ...reasons: Reason[]): Promise<ConnectError> {
  const due = reasons.map((one) => Reason[one]).join(" or ");
  try {
    await call();
  } catch (error) {
    const reason = reasonOf(error);
    demand(reasons.includes(reason), `reason ${Reason[reason]}, not ${due}`);
    return ConnectError.from(error);
  }
  throw new Error(`accepted, although ${due} was due`);
}

const UNNAMED: ReadonlySet<Reason> = new Set([Reason.UNSPECIFIED, Reason.INTERNAL, Reason.EXPERT_FAILED]);

/** Demands that a call ends well, or is refused for a reason that says what is wrong; never with a fault of the expert. */
export async function endsTyped<T>(call: () => Promise<T>): Promise<T | ConnectError> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const reason = reasonOf(error);
    demand(reason !== Reason.DEADLINE_EXCEEDED, `it did not end within ${PATIENCE_MS / 1000} s`);
    demand(!UNNAMED.has(reason), `a fault instead of a typed refusal: ${Code[error.code]}: ${error.rawMessage}`);
    return error;
  }
}

export function demand(holds: boolean, complaint: string): asserts holds {
  if (!holds) throw new Error(complaint);
}
