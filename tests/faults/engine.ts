import { join } from "node:path";
import { type EndedRun, type EngineUnderTest, startEngine, workflowOf } from "@odg/engine/testing";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { TaskState } from "@odg/proto/odg/run/v1/run_pb";

/** Folder of a faulty plugin, as an entry of ODG_EXPERTS. */
export function faulty(plugin: string, placement = "process:"): string {
  return `${placement}${join(import.meta.dirname, "plugins", plugin)}`;
}

/** An engine with faulty plugins, each in a process of its own, and nothing else. */
export function engineWith(...plugins: string[]): Promise<EngineUnderTest> {
  return startEngine({ experts: plugins.map((plugin) => faulty(plugin)) });
}

/** Runs tasks beside each other. */
export async function runTasks(engine: EngineUnderTest, tasks: object[]): Promise<EndedRun & { tasks: TaskState[] }> {
  const named = tasks.map((task, i) => ({ id: `task_${i}`, ...task }));
  const ended = await engine.run({ source: { case: "workflow", value: workflowOf(named) } });
  return { ...ended, tasks: ended.run.tasks };
}

/** Why a task failed; undefined where it did not. */
export function reasonOf(task: TaskState | undefined): string | undefined {
  return task?.failure ? Reason[task.failure.reason] : undefined;
}
