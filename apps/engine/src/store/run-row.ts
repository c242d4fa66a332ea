import { clone } from "@bufbuild/protobuf";
import { type Run, RunSchema } from "@odg/proto/odg/run/v1/run_pb";

/** A copy for lists: the outputs of the tasks stay in the journal. */
export function withoutOutputs(run: Run): Run {
  const copy = clone(RunSchema, { ...run, tasks: [] });
  copy.tasks = run.tasks.map((task) => ({ ...task, output: undefined }));
  return copy;
}
