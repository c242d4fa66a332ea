// No engine: counts predecessors and calls what is free. The floor under all figures.
import type { Subject } from "./subject.ts";

export default {
  name: "bare loop",
  async prepare({ tasks }, task) {
    const numbers = new Map(tasks.map(({ id }, number) => [id, number]));
    const successors: number[][] = tasks.map(() => []);
    for (const [number, { dependsOn }] of tasks.entries()) {
      for (const id of dependsOn) successors[numbers.get(id) ?? -1]?.push(number);
    }
    const degrees = tasks.map(({ dependsOn }) => dependsOn.length);
    return async () => {
      const waits = [...degrees];
      let left = tasks.length;
      await new Promise<void>((resolve) => {
        const perform = (number: number): void => {
          void Promise.resolve()
            .then(task)
            .then(() => {
              for (const next of successors[number] ?? []) {
                const waitsFor = (waits[next] ?? 0) - 1;
                waits[next] = waitsFor;
                if (waitsFor === 0) perform(next);
              }
              if (--left === 0) resolve();
            });
        };
        for (const [number, degree] of degrees.entries()) if (degree === 0) perform(number);
      });
    };
  },
} satisfies Subject;
