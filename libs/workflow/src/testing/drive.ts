import { ApprovalStatus, type Event, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { CancelTaskCommand, Command, DispatchCommand } from "../command.ts";
import { RunProjection } from "../projection.ts";
import { Journal, keyOf } from "./journal.ts";

/** What happened in a driven run, in order. */
export type Step = { event: Event } | { command: Command };

/** A driver whose every decision is one of the given numbers; once they are used up, each task succeeds and the run ends. */
export class Driver {
  readonly projection = new RunProjection();
  readonly machine = this.projection.machine;
  readonly steps: Step[] = [];
  /** What the run has accepted. */
  readonly journal = new Journal();
  /** Commands whose outcome is still to come, by key. */
  readonly inFlight = new Map<string, Command>();
  #choices: readonly number[];
  #used = 0;
  #workflow: Workflow;
  #reused: number[];

  constructor(workflow: Workflow, choices: readonly number[], reused: number[] = []) {
    this.#workflow = workflow;
    this.#choices = choices;
    this.#reused = reused;
  }

  /** Runs to the end; calls `afterEach` after every event that was applied. */
  run(afterEach: () => void): void {
    this.#offer(this.journal.started(this.#workflow, this.#reused));
    afterEach();
    while (this.inFlight.size > 0 || this.machine.paused) {
      this.#step();
      afterEach();
    }
  }

  #step(): void {
    const chaos = this.#choose(24);
    if (chaos === 23) this.#repeat();
    else if (chaos === 22) this.#offer(this.journal.cancelRequested());
    else if (chaos >= 20) this.#offer(this.machine.paused ? this.journal.resumed() : this.journal.paused());
    else this.#perform();
  }

  // An old event arrives a second time: nothing may come of it.
  #repeat(): void {
    const { events } = this.journal;
    if (this.projection.tryApply(events[this.#choose(events.length)]!) !== undefined)
      throw new Error("A duplicate was accepted.");
  }

  #perform(): void {
    // A run's timeout is waited for, not worked at.
    const work = [...this.inFlight.values()].filter(({ kind }) => kind !== "scheduleRunTimeout");
    if (this.inFlight.size > work.length && this.#choose(40) === 39) this.#offer(this.journal.timedOut());
    else if (work.length > 0) this.#answer(work[this.#choose(work.length)]!);
    else if (this.machine.paused) this.#offer(this.journal.resumed());
    else throw new Error("Nothing is in flight, and the run has not ended.");
  }

  #answer(command: Command): void {
    const event = this.#outcomeOf(command);
    const accepted = this.#offer(event);
    if (accepted && event.kind.case !== "taskStarted") this.inFlight.delete(keyOf(command));
  }

  #outcomeOf(command: Command): Event {
    switch (command.kind) {
      case "dispatch":
        return command.item > 0 ? this.#attempt(command) : this.#consider(command);
      case "reuse":
        return this.journal.reused(command.task, command.attempt);
      case "skip":
        return this.journal.skipped(command.task, command.cause);
      case "scheduleRetry":
        return this.journal.retryDue(command.task, command.item);
      case "awaitApproval":
        return this.#decide(command.task);
      case "completeTask":
        return command.failed
          ? this.journal.failed(command.task, command.attempt)
          : this.journal.completed(command.task, command.attempt);
      case "cancelTask":
        return this.#stop(command);
      case "completeRun":
        return this.journal.ended(command.status);
      default:
        throw new Error(`${command.kind} has no outcome.`);
    }
  }

  // The attempt may end by itself before it is stopped.
  #stop({ task, attempt, item }: CancelTaskCommand): Event {
    const ends = attempt > 0 && (item > 0 || this.#plain(task)) ? this.#choose(4) : 0;
    if (ends === 2) return this.journal.completed(task, attempt, item);
    if (ends === 3) return this.journal.failed(task, attempt, 1, item);
    return this.journal.cancelled(task);
  }

  #plain(task: number): boolean {
    return this.machine.items(task) === undefined && this.#workflow.tasks[task]!.approval === undefined;
  }

  #decide(task: number): Event {
    const choice = this.#choose(6);
    if (choice === 5 && !this.projection.run().tasks[task]!.approval!.escalated)
      return this.journal.escalated(task, 60);
    if (choice === 4) return this.journal.decided(task, ApprovalStatus.EXPIRED);
    return this.journal.decided(task, choice === 3 ? ApprovalStatus.REJECTED : ApprovalStatus.APPROVED);
  }

  #consider(command: DispatchCommand): Event {
    const { task, attempt } = command;
    const { approval, forEach, action } = this.#workflow.tasks[task]!;
    if (this.machine.status(task) === TaskStatus.RUNNING) return this.#attempt(command);
    const asked = approval === undefined || this.machine.approved(task);
    const early = asked ? 0 : this.#choose(10);
    if (early === 8) return this.journal.skipped(task, SkipCause.CONDITION);
    if (early === 9) return this.journal.failed(task, 0);
    if (!asked) return this.journal.asked(task, this.#choose(2) === 0 ? undefined : 60);
    if (action === "") return this.journal.completed(task, attempt);
    if (forEach === undefined) return this.#attempt(command);
    return this.journal.expanded(task, this.#choose(6), 1 + this.#choose(3));
  }

  #attempt({ task, attempt, item }: DispatchCommand): Event {
    const outcome = this.#choose(10);
    const status = item > 0 ? this.machine.itemStatus(task, item) : this.machine.status(task);
    if (status !== TaskStatus.RUNNING) {
      if (outcome === 8 && item === 0 && attempt === 1 && !this.machine.approved(task))
        return this.journal.skipped(task, SkipCause.CONDITION);
      if (outcome === 9) return this.journal.failed(task, attempt === 1 ? 0 : attempt, undefined, item);
      return this.journal.taskStarted(task, attempt, item);
    }
    if (outcome === 7) return this.journal.failed(task, attempt, undefined, item);
    if (outcome >= 8) return this.journal.failed(task, attempt, outcome, item);
    return this.journal.completed(task, attempt, item);
  }

  /** Lets the run see an event, and forgets it where it is refused. Answers whether it was taken. */
  #offer(event: Event): boolean {
    const commands = this.projection.tryApply(event);
    if (commands === undefined) {
      this.journal.drop();
      return false;
    }
    this.steps.push({ event });
    this.#forget(event);
    for (const command of commands) this.#take(command);
    return true;
  }

  /** What an event makes void beside the command that it answers. */
  #forget({ kind }: Event): void {
    for (const [key, command] of this.inFlight) {
      const ofTask = kind.case === "taskCancelled" && "task" in command && command.task === kind.value.task;
      const stopped = this.machine.cancelling && !["skip", "cancelTask"].includes(command.kind);
      const over = command.kind === "scheduleRunTimeout" && this.machine.openTasks === 0;
      if (ofTask || stopped || over) this.inFlight.delete(key);
    }
  }

  #take(command: Command): void {
    this.steps.push({ command });
    if (command.kind === "withdraw") {
      const { task, item, attempt } = command;
      const dispatch = keyOf({ kind: "dispatch", task, item, attempt, priority: 0 });
      const taken = this.inFlight.delete(dispatch) || this.inFlight.delete(keyOf({ kind: "reuse", task, attempt }));
      if (!taken) throw new Error(`${keyOf(command)} takes back what was not asked for.`);
      return;
    }
    if (this.inFlight.has(keyOf(command))) throw new Error(`${keyOf(command)} was asked for twice.`);
    this.inFlight.set(keyOf(command), command);
  }

  #choose(below: number): number {
    const choice = this.#choices[this.#used++] ?? 0;
    return choice % below;
  }
}
