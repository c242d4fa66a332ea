import { create } from "@bufbuild/protobuf";
import type { DatasetProfile } from "@odg/proto/odg/catalog/v1/dataset_pb";
import type { Finding } from "@odg/proto/odg/expert/v1/finding_pb";
import type { Event, Report } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { RunProjection } from "@odg/workflow";
import { assembleReport } from "../report/assemble.ts";

/** The report of a run, made of its journal and nothing else. */
export async function reportOf(events: AsyncIterable<Event> | Iterable<Event>): Promise<Report> {
  const projection = new RunProjection();
  const findings: { taskId: string; expert: string; finding: Finding }[] = [];
  const profiles = new Map<string, DatasetProfile>();
  let workflow = create(WorkflowSchema);
  for await (const event of events) {
    projection.apply(event);
    const { kind } = event;
    if (kind.case === "runStarted" && kind.value.workflow) workflow = kind.value.workflow;
    if (kind.case === "datasetProfiled" && kind.value.profile?.dataset) {
      profiles.set(kind.value.profile.dataset.uri, kind.value.profile);
    }
    if (kind.case === "taskCompleted") {
      const state = projection.run().tasks[kind.value.task];
      if (!state) continue;
      for (const finding of kind.value.findings) findings.push({ taskId: state.taskId, expert: state.expert, finding });
    }
  }
  return assembleReport({
    run: projection.run(),
    workflow,
    findings,
    profiles: [...profiles.values()],
    context: projection.context.entries(),
  });
}
