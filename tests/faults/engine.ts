import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type EndedRun, type EngineUnderTest, startEngine, workflowOf } from "@odg/engine/testing";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { TaskState } from "@odg/proto/odg/run/v1/run_pb";

const SOURCES = join(import.meta.dirname, "plugins");
const copies = mkdtempSync(join(tmpdir(), "odg-faults-"));
symlinkSync(resolve(import.meta.dirname, "../../node_modules"), join(copies, "node_modules"));
process.once("exit", () => rmSync(copies, { recursive: true, force: true }));

/** A faulty plugin (`crash`, or `crash*2`) as an entry of ODG_EXPERTS: a copy with all that it imports, since a process reads its own package only. */
export function faulty(entryOf: string, placement = "process:"): string {
  const [plugin = "", instances] = entryOf.split("*");
  const copy = join(copies, plugin);
  cpSync(join(SOURCES, plugin), copy, { recursive: true });
  cpSync(join(SOURCES, "work.ts"), join(copy, "work.ts"));
  const entry = join(copy, "index.ts");
  writeFileSync(entry, readFileSync(entry, "utf8").replace('"../work.ts"', '"./work.ts"'));
  return `${placement}${copy}${instances === undefined ? "" : `*${instances}`}`;
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
