import { randomUUID } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Run } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import { type Connection, connect, isRemote } from "./connect.ts";
import { accompany, type FollowFlags, followPlan } from "./follow.ts";
import { localPaths, parseInputs } from "./inputs.ts";
import { UsageError } from "./usage-error.ts";

/** Flags of `odg fork`. */
export interface ForkFlags extends FollowFlags {
  from?: string;
  input: string[];
  taskInput: string[];
}

/** Starts a run that takes over finished tasks of another one, and follows it. Answers the exit code. */
export async function fork(runId: string, flags: ForkFlags): Promise<number> {
  const [inputs, taskInputs] = [parseInputs(flags.input), parseInputs(flags.taskInput)];
  if (flags.taskInput.length > 0 && flags.from === undefined) {
    throw new UsageError("--task-input needs --from: the task whose inputs they are");
  }
  const given = flags.taskInput.length > 0 ? { taskInputs } : {};
  const begin = async ({ client }: Connection, own: Own) => {
    const fromTask = flags.from ?? "";
    const request = { runId, fromTask, inputs: own.of(inputs), requestId: randomUUID() };
    return (await client.runs.forkRun({ ...request, ...(given.taskInputs && { taskInputs: own.of(taskInputs) }) })).run;
  };
  return beginAgain(runId, { flags, typed: [inputs, taskInputs], begin });
}

/** Starts a run again: the tasks that did not succeed, or the whole. Follows it. Answers the exit code. */
export async function rerun(runId: string, flags: FollowFlags & { all?: boolean }): Promise<number> {
  const begin = async ({ client }: Connection) => {
    if (!flags.all) return (await client.runs.forkRun({ runId, requestId: randomUUID() })).run;
    const { report } = await client.runs.getReport({ runId });
    const { run, workflow } = report ?? {};
    if (!run || !workflow) throw reject(Reason.INTERNAL, { message: "the engine answered no report" });
    const { inputs, labels, priority } = run;
    return client.startRun({ source: { case: "workflow", value: workflow }, inputs: inputs ?? {}, labels, priority });
  };
  return beginAgain(runId, { flags, typed: [], begin });
}

/** Turns what was typed into what the engine is sent. */
interface Own {
  of(inputs: JsonObject): JsonObject;
}

interface Beginning {
  flags: FollowFlags;
  /** Inputs as typed now. */
  typed: JsonObject[];
  begin(connection: Connection, own: Own): Promise<Run | undefined>;
}

async function beginAgain(runId: string, { flags, typed, begin }: Beginning): Promise<number> {
  const plan = followPlan(flags);
  const remote = isRemote(flags);
  // An engine in this process opens what its user named: now, or when the first run was started.
  const paths = remote ? [] : [await inputsOf(runId, flags), ...typed].flatMap((inputs) => localPaths(inputs).paths);
  const connection = await connect(flags, paths);
  try {
    const run = await begin(connection, { of: (inputs) => (remote ? inputs : localPaths(inputs).inputs) });
    if (!run) throw reject(Reason.INTERNAL, { message: "the engine answered no run" });
    return await accompany(connection, run, plan);
  } finally {
    await connection.close();
  }
}

async function inputsOf(runId: string, flags: FollowFlags): Promise<JsonObject> {
  const { client, close } = await connect(flags);
  try {
    return (await client.runs.getRun({ runId })).run?.inputs ?? {};
  } finally {
    await close();
  }
}
