import { connect, isRemote } from "./connect.ts";
import { accompany, type FollowFlags, followPlan } from "./follow.ts";
import { labelsOf, localPaths, parseInputs } from "./inputs.ts";
import { UsageError } from "./usage-error.ts";
import { readSource } from "./workflow-source.ts";

/** Flags of `odg run`. */
export interface RunFlags extends FollowFlags {
  input: string[];
  label: string[];
  priority: string;
}

/** Runs a workflow, shows it, prints its report. Answers the exit code. */
export async function run(argument: string, flags: RunFlags): Promise<number> {
  const typed = parseInputs(flags.input);
  const labels = labelsOf(flags.label);
  const priority = priorityOf(flags.priority);
  const plan = followPlan(flags);
  const source = await readSource(argument);
  const local = localPaths(typed);
  const connection = await connect(flags, local.paths);
  try {
    const inputs = isRemote(flags) ? typed : local.inputs;
    const started = await connection.client.startRun({ source, inputs, labels, priority });
    return await accompany(connection, started, plan);
  } finally {
    await connection.close();
  }
}

/** Follows a run that somebody started, until it ends. Answers the exit code. */
export async function watch(runId: string, flags: FollowFlags): Promise<number> {
  const plan = followPlan(flags);
  const connection = await connect(flags);
  try {
    const { run: found } = await connection.client.runs.getRun({ runId });
    return found ? await accompany(connection, found, plan) : 0;
  } finally {
    await connection.close();
  }
}

function priorityOf(text: string): number {
  const priority = Number(text);
  if (text.trim() !== "" && Number.isInteger(priority) && Math.abs(priority) <= 10) return priority;
  throw new UsageError(`--priority ${text}: use a whole number from -10 to 10`);
}
