import { create } from "@bufbuild/protobuf";
import {
  type ApprovalStatus,
  type Event,
  EventSchema,
  type RunStatus,
  type SkipCause,
} from "@odg/proto/odg/run/v1/run_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { Command } from "../command.ts";
import { MACHINE_VERSION } from "../machine.ts";
import { plan } from "../plan.ts";

type Kind = NonNullable<Parameters<typeof create<typeof EventSchema>>[1]>["kind"];

/** What a task of a test may be. */
export type TaskInit = NonNullable<NonNullable<Parameters<typeof create<typeof WorkflowSchema>>[1]>["tasks"]>[number];

/** A workflow of tasks that do nothing: for each id its predecessors. */
export function workflowOf(edges: Readonly<Record<string, readonly string[]>>): Workflow {
  return workflowWith(Object.entries(edges).map(([id, dependsOn]) => ({ id, dependsOn: [...dependsOn] })));
}

/** A workflow of the given tasks, which do nothing. */
export function workflowWith(
  tasks: readonly TaskInit[],
  more: { onFailure?: string; timeout?: { seconds: bigint } } = {},
): Workflow {
  const acting = tasks.map((task) => ({ action: "act", ...task }));
  return create(WorkflowSchema, { workflowId: "w", tasks: acting, ...more });
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

  /** Forgets the newest event: the run would not have it. */
  drop(): void {
    this.events.pop();
  }

  started(workflow: Workflow, reused: number[] = []): Event {
    const result = plan(workflow);
    if (result.plan === undefined) throw new Error(result.issues.map(({ message }) => message).join(" "));
    const value = { workflow, plan: result.plan, machineVersion: MACHINE_VERSION, reused };
    return this.event({ case: "runStarted", value });
  }

  taskStarted(task: number, attempt: number, item = 0): Event {
    return this.event({ case: "taskStarted", value: { task, attempt, item, expert: "E@1.0.0" } });
  }

  completed(task: number, attempt: number, item = 0): Event {
    return this.event({ case: "taskCompleted", value: { task, attempt, item } });
  }

  reused(task: number, attempt: number): Event {
    return this.event({ case: "taskCompleted", value: { task, attempt, reusedFrom: "run-0" } });
  }

  failed(task: number, attempt: number, retrySeconds?: number, item = 0): Event {
    const retryAfter = retrySeconds === undefined ? undefined : { seconds: BigInt(retrySeconds) };
    const failure = { message: "broken" };
    return this.event({ case: "taskFailed", value: { task, attempt, item, retryAfter, failure } });
  }

  skipped(task: number, cause: SkipCause): Event {
    return this.event({ case: "taskSkipped", value: { task, cause } });
  }

  retryDue(task: number, item = 0): Event {
    return this.event({ case: "taskRetryDue", value: { task, item } });
  }

  expanded(task: number, count: number, maxConcurrency = 0): Event {
    return this.event({ case: "taskExpanded", value: { task, count, maxConcurrency } });
  }

  asked(task: number, seconds?: number): Event {
    return this.event({ case: "approvalRequested", value: { task, question: "Sure?", ...this.#within(seconds) } });
  }

  escalated(task: number, seconds?: number): Event {
    return this.event({ case: "approvalEscalated", value: { task, approvers: ["boss"], ...this.#within(seconds) } });
  }

  decided(task: number, status: ApprovalStatus): Event {
    return this.event({ case: "approvalDecided", value: { task, status, decidedBy: "jo", reason: "because" } });
  }

  paused(): Event {
    return this.event({ case: "runPaused", value: { reason: "asked" } });
  }

  resumed(): Event {
    return this.event({ case: "runResumed", value: {} });
  }

  timedOut(): Event {
    return this.event({ case: "runTimedOut", value: {} });
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

  #within(seconds: number | undefined) {
    return seconds === undefined ? {} : { deadline: { seconds: 1_001n + BigInt(this.events.length + seconds) } };
  }
}

/** A name by which commands can be compared, whatever their order. */
export function keyOf(command: Command): string {
  switch (command.kind) {
    case "completeRun":
      return `completeRun ${command.status}`;
    case "skip":
      return `skip ${command.task} ${command.cause}`;
    case "completeTask":
      return `completeTask ${command.task} ${command.failed}`;
    case "awaitApproval":
      return `awaitApproval ${command.task} ${command.deadlineMs}`;
    case "scheduleRunTimeout":
      return `scheduleRunTimeout ${command.dueMs}`;
    case "reuse":
      return `reuse ${command.task} ${command.attempt}`;
    default:
      return `${command.kind} ${command.task}/${command.item} ${command.attempt}`;
  }
}
