import { create } from "@bufbuild/protobuf";
import { TaskCompletedSchema, TaskStartedSchema } from "@odg/proto/odg/run/v1/run_pb";
import type { Performer } from "../../../apps/engine/src/run/perform-command.ts";

function unexpected(): never {
  throw new Error("a benchmark's workflow has nothing but tasks");
}

/** Performs tasks that do nothing but call `perform`. */
export function performNothing(perform: () => void): Performer {
  return {
    dispatch(run, { task, attempt }) {
      const end = () => {
        perform();
        run.record({ case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt }) });
      };
      const then = () => queueMicrotask(end);
      const started = create(TaskStartedSchema, { task, attempt, expert: "NoExpert@1.0.0" });
      run.record({ case: "taskStarted", value: started }, { then });
    },
    completeTask: unexpected,
    reuse: unexpected,
    cancel: unexpected,
    withdraw: unexpected,
  };
}
