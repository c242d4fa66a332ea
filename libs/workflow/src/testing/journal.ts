import { create } from "@bufbuild/protobuf";
import { type Event, EventSchema, type RunStatus, type SkipCause } from "@odg/proto/odg/run/v1/run_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { Command } from "../command.ts";
import { MACHINE_VERSION } from "../machine.ts";
import { plan } from "../plan.ts";

type Kind = NonNullable<Parameters<typeof create<typeof EventSchema>>[1]>["kind"];

/** A workflow of tasks that do nothing: for each id its predecessors. */
export function workflowOf(edges: Readonly<Record<string, readonly string[]>>): Workflow {
  const tasks = Object.entries(edges).map(([id, dependsOn]) => ({ id, action: "act", dependsOn: [...dependsOn] }));
  return create(WorkflowSchema, { workflowId: "w", tasks });
}

/** Makes the events of one run: ids, sequence numbers and times (one second apart) as a journal gives them. */
export class Journal {
  readonly events: Event[] = [];
  #runId: string;

  constructor(runId = "run-1") {
    this.#runId = runId;
  }

  event(kind: Kind): Event {
    const seq = BigInt(this.events.length + 1);
    const event = create(EventSchema, { runId: this.#runId, seq, time: { seconds: 1_000n + seq }, kind });
    this.events.push(event);
    return event;
  }

  started(workflow: Workflow): Event {
    const result = plan(workflow);
    if (result.plan === undefined) throw new Error(result.issues.map(({ message }) => message).join(" "));
    const value = { workflow, plan: result.plan, machineVersion: MACHINE_VERSION };
    return this.event({ case: "runStarted", value });
  }

  taskStarted(task: number, attempt: number): Event {
    return this.event({ case: "taskStarted", value: { task, attempt, expert: "E@1.0.0" } });
  }

  completed(task: number, attempt: number): Event {
    return this.event({ case: "taskCompleted", value: { task, attempt } });
  }

  failed(task: number, attempt: number, retrySeconds?: number): Event {
    const retryAfter = retrySeconds === undefined ? undefined : { seconds: BigInt(retrySeconds) };
    return this.event({ case: "taskFailed", value: { task, attempt, retryAfter, failure: { message: "broken" } } });
  }

  skipped(task: number, cause: SkipCause): Event {
    return this.event({ case: "taskSkipped", value: { task, cause } });
  }

  retryDue(task: number): Event {
    return this.event({ case: "taskRetryDue", value: { task } });
  }

  cancelRequested(): Event {
    return this.event({ case: "runCancelRequested", value: { reason: "asked" } });
  }

  cancelled(task: number): Event {
    return this.event({ case: "taskCancelled", value: { task } });
  }

  ended(status: RunStatus): Event {
    return this.event({ case: "runCompleted", value: { status } });
  }
}

/** A name by which commands can be compared, whatever their order. */
export function keyOf(command: Command): string {
  switch (command.kind) {
    case "completeRun":
      return `completeRun ${command.status}`;
    case "skip":
      return `skip ${command.task} ${command.cause}`;
    case "reuse":
    case "completeTask":
      return `${command.kind} ${command.task}`;
    case "awaitApproval":
      return `awaitApproval ${command.task} ${command.deadlineMs}`;
    case "scheduleRunTimeout":
      return `scheduleRunTimeout ${command.dueMs}`;
    default:
      return `${command.kind} ${command.task} ${command.item} ${command.attempt}`;
  }
}
