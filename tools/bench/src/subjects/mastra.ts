// Mastra: its workflows know sequences and parallel groups, not DAGs, so tasks run level by level, with default options.
import { createStep, createWorkflow } from "@mastra/core/workflows";
import * as z from "zod";
import type { BenchTask } from "../dags.ts";
import type { Subject } from "./subject.ts";

const nothing = z.object({});

export default {
  name: "Mastra",
  slow: true,
  async prepare({ tasks }, task) {
    const step = ({ id }: BenchTask) =>
      createStep({
        id,
        inputSchema: z.any(),
        outputSchema: nothing,
        execute: async () => {
          task();
          return {};
        },
      });
    // As for LangGraph: the type of a workflow grows with each step.
    const workflow = createWorkflow({ id: "bench", inputSchema: nothing, outputSchema: z.any() }) as unknown as Flow;
    for (const level of levelsOf(tasks)) {
      const steps = level.map(step);
      if (steps.length === 1) workflow.then(steps[0]);
      else workflow.parallel(steps);
    }
    workflow.commit();
    return async () => {
      const run = await workflow.createRun();
      const { status } = await run.start({ inputData: {} });
      if (status !== "success") throw new Error(`Mastra's run ended as ${status}`);
    };
  },
} satisfies Subject;

function levelsOf(tasks: readonly BenchTask[]): BenchTask[][] {
  const depth = new Map<string, number>();
  for (const { id, dependsOn } of tasks) {
    depth.set(id, Math.max(0, ...dependsOn.map((before) => (depth.get(before) ?? 0) + 1)));
  }
  const levels: BenchTask[][] = [];
  for (const task of tasks) {
    const level = depth.get(task.id) ?? 0;
    levels[level] = [...(levels[level] ?? []), task];
  }
  return levels;
}

interface Flow {
  then(step: unknown): void;
  parallel(steps: unknown[]): void;
  commit(): void;
  createRun(): Promise<{ start(options: { inputData: object }): Promise<{ status: string }> }>;
}
