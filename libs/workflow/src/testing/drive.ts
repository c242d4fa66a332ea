import { type Event, SkipCause } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { CancelTaskCommand, Command, DispatchCommand } from "../command.ts";
import { RunMachine } from "../machine.ts";
import { Journal, keyOf } from "./journal.ts";

/** What happened in a driven run, in order. */
export type Step = { event: Event } | { command: Command };

/** A driver whose every decision is one of the given numbers; once they are used up, each task succeeds and the run ends. */
export class Driver {
  readonly machine = new RunMachine();
  readonly steps: Step[] = [];
  readonly journal: Journal;
  /** Commands whose outcome is still to come, by key. */
  readonly inFlight = new Map<string, Command>();
  #choices: readonly number[];
  #used = 0;
  #started = new Set<string>();
  #workflow: Workflow;

  constructor(workflow: Workflow, choices: readonly number[]) {
    this.#workflow = workflow;
    this.#choices = choices;
    this.journal = new Journal();
  }

  /** Runs to the end; calls `afterEach` after every event that was applied. */
  run(afterEach: () => void): void {
    this.#apply(this.journal.started(this.#workflow));
    afterEach();
    while (this.inFlight.size > 0) {
      this.#step();
      afterEach();
    }
  }

  #step(): void {
    const chaos = this.#choose(16);
    if (chaos === 15) this.#repeat();
    else if (chaos === 14) this.#cancel();
    else this.#perform([...this.inFlight.values()]);
  }

  // An old event arrives a second time: nothing may come of it.
  #repeat(): void {
    const { events } = this.journal;
    if (this.machine.tryApply(events[this.#choose(events.length)]!) !== undefined)
      throw new Error("A duplicate was accepted.");
  }

  #cancel(): void {
    const event = this.journal.cancelRequested();
    const commands = this.machine.tryApply(event);
    this.steps.push({ event });
    if (commands === undefined) return;
    for (const [key, { kind }] of this.inFlight)
      if (kind === "dispatch" || kind === "scheduleRetry") this.inFlight.delete(key);
    this.#take(commands);
  }

  #perform(commands: readonly Command[]): void {
    const command = commands[this.#choose(commands.length)]!;
    const event = this.#outcomeOf(command);
    if (event.kind.case !== "taskStarted") this.inFlight.delete(keyOf(command));
    this.#apply(event);
  }

  #outcomeOf(command: Command): Event {
    switch (command.kind) {
      case "dispatch":
        return this.#attempt(command);
      case "skip":
        return this.journal.skipped(command.task, command.cause);
      case "scheduleRetry":
        return this.journal.retryDue(command.task);
      case "cancelTask":
        return this.#stop(command);
      case "completeRun":
        return this.journal.ended(command.status);
      default:
        throw new Error(`${command.kind} is not asked for here.`);
    }
  }

  // The attempt may end by itself before it is stopped.
  #stop({ task, attempt }: CancelTaskCommand): Event {
    const ends = attempt > 0 ? this.#choose(4) : 0;
    if (ends === 2) return this.journal.completed(task, attempt);
    if (ends === 3) return this.journal.failed(task, attempt, 1);
    return this.journal.cancelled(task);
  }

  #attempt(command: DispatchCommand): Event {
    const { task, attempt } = command;
    const key = keyOf(command);
    const outcome = this.#choose(10);
    if (!this.#started.has(key)) {
      if (outcome === 8) return this.journal.skipped(task, SkipCause.CONDITION);
      if (outcome === 9) return this.journal.failed(task, attempt === 1 ? 0 : attempt);
      this.#started.add(key);
      return this.journal.taskStarted(task, attempt);
    }
    if (outcome === 7) return this.journal.failed(task, attempt);
    if (outcome >= 8) return this.journal.failed(task, attempt, outcome);
    return this.journal.completed(task, attempt);
  }

  #apply(event: Event): void {
    this.steps.push({ event });
    this.#take(this.machine.apply(event));
  }

  #take(commands: readonly Command[]): void {
    for (const command of commands) {
      if (this.inFlight.has(keyOf(command))) throw new Error(`${keyOf(command)} was asked for twice.`);
      this.inFlight.set(keyOf(command), command);
      this.steps.push({ command });
    }
  }

  #choose(below: number): number {
    const choice = this.#choices[this.#used++] ?? 0;
    return choice % below;
  }
}
