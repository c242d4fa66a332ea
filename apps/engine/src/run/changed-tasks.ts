import type { Event } from "@odg/proto/odg/run/v1/run_pb";
import type { Command, RunMachine } from "@odg/workflow";

/** An event, and what its machine asked for because of it. */
export interface Step {
  event: Event;
  commands: readonly Command[];
}

/** Numbers of the tasks whose state these steps changed: those that they tell of, and those that they set going. */
export function changedTasks(steps: readonly Step[], machine: RunMachine): number[] {
  const changed: number[] = [];
  for (const { event, commands } of steps) {
    const { value } = event.kind;
    if (value && "task" in value) {
      changed.push(value.task);
      // While a run is paused nothing is asked for, and what is held is ready all the same.
      if (machine.paused) changed.push(...machine.successorsOf(value.task));
    }
    for (const command of commands) if ("task" in command) changed.push(command.task);
  }
  return changed.length > 1 ? [...new Set(changed)] : changed;
}
