import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { RunCancelRequestedSchema, RunPausedSchema, RunResumedSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { failureOf, reject } from "@odg/rpc";
import * as z from "zod";
import type { Clock } from "../clock.ts";
import type { Leases } from "../store/store.ts";
import type { ActiveRun, EventKind } from "./active-run.ts";
import { decide } from "./approvals.ts";
import { asReject } from "./failure.ts";

const user = z.string();

const requestSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("cancel"), reason: z.string(), user }),
  z.object({ kind: z.literal("pause"), reason: z.string(), user }),
  z.object({ kind: z.literal("resume"), user }),
  z.object({ kind: z.literal("decide"), taskId: z.string(), approve: z.boolean(), reason: z.string(), user }),
]);

/** What somebody wants of a run under way. */
export type ControlRequest = z.infer<typeof requestSchema>;

/**
 * Does it, on the engine that drives the run; it is durable when this resolves.
 *
 * @throws ConnectError with STATE_INVALID where the run has ended, or as {@link decide}
 */
export async function controlRun(run: ActiveRun, request: ControlRequest): Promise<void> {
  if (request.kind === "decide") {
    await decide(run, request);
    return;
  }
  const kind = eventOf(run, request);
  if (!kind) return;
  const accepted = await new Promise<boolean>((then) => run.record(kind, { then }));
  if (!accepted && run.stopped) throw isGone(run);
}

/** The refusal of everything that is asked of a run which has ended. */
export function hasEnded() {
  return reject(Reason.STATE_INVALID, { message: "the run has ended; it stays as it is", field: "run_id" });
}

/** A run that this engine drives no more: it has ended, or another engine is about to go on with it. */
function isGone(run: ActiveRun) {
  if (run.projection.run().endTime) return hasEnded();
  return reject(Reason.UNAVAILABLE, { message: "another engine takes this run over: ask again", retryAfterMs: 1000 });
}

/** Nothing where the run is as it is wanted. */
function eventOf(run: ActiveRun, request: Exclude<ControlRequest, { kind: "decide" }>): EventKind | undefined {
  const { machine } = run.projection;
  if (run.stopped) throw isGone(run);
  switch (request.kind) {
    case "cancel": {
      const { reason, user } = request;
      return { case: "runCancelRequested", value: create(RunCancelRequestedSchema, { reason, user }) };
    }
    case "pause": {
      if (machine.runStatus === RunStatus.PAUSED) return undefined;
      if (machine.cancelling) throw isEnding();
      const { reason, user } = request;
      return { case: "runPaused", value: create(RunPausedSchema, { reason, user }) };
    }
    case "resume":
      if (machine.runStatus !== RunStatus.PAUSED) return undefined;
      return { case: "runResumed", value: create(RunResumedSchema, { user: request.user }) };
  }
}

function isEnding() {
  return reject(Reason.STATE_INVALID, { message: "the run is being cancelled", field: "run_id" });
}

const CONTROL = "control";
const ANSWER_POLL_MS = 50;
const ANSWER_MS = 10_000;

const answerSchema = z.object({
  refused: z
    .object({ reason: z.int(), message: z.string(), subject: z.string(), hint: z.string(), code: z.int() })
    .optional(),
});

/** Asks the engine that drives a run, and waits for its answer. @throws ConnectError with its refusal, or UNAVAILABLE */
export async function askDriver(
  { store, clock }: { store: Leases; clock: Clock },
  runId: string,
  request: ControlRequest,
): Promise<void> {
  const id = await store.sendRequest({ runId, kind: CONTROL, body: Buffer.from(JSON.stringify(request)) });
  for (let waited = 0; waited < ANSWER_MS; waited += ANSWER_POLL_MS) {
    await new Promise<void>((resolve) => clock.after(ANSWER_POLL_MS, resolve));
    const answer = await store.readAnswer(id);
    if (!answer) continue;
    const { refused } = answerSchema.parse(JSON.parse(Buffer.from(answer).toString()));
    if (!refused) return;
    throw reject(refused.reason, { ...refused, code: refused.code });
  }
  throw reject(Reason.UNAVAILABLE, {
    message: "the engine that drives this run does not answer; it may have ended, and another is about to take over",
    retryAfterMs: 1000,
  });
}

/** What the engine that drives a run answers to a request of another engine. */
export async function answerControl(
  run: ActiveRun | undefined,
  { kind, body }: { kind: string; body: Uint8Array },
): Promise<Uint8Array> {
  try {
    if (kind !== CONTROL) throw reject(Reason.UNIMPLEMENTED, { message: `this engine knows no request "${kind}"` });
    if (!run) throw hasEnded();
    await controlRun(run, requestSchema.parse(JSON.parse(Buffer.from(body).toString())));
    return Buffer.from(JSON.stringify({}));
  } catch (error) {
    const { reason, message, subject, hint } = failureOf(asReject(error), Reason.INTERNAL);
    const code =
      error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : Code.Internal;
    return Buffer.from(JSON.stringify({ refused: { reason, message, subject, hint, code } }));
  }
}
