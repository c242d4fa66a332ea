import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ApprovalDecidedSchema,
  ApprovalStatus,
  RunCancelRequestedSchema,
  RunPausedSchema,
  RunResumedSchema,
  RunStartedSchema,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { RunSnapshotSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { checkHistory } from "../check-history.ts";
import { MACHINE_VERSION } from "../machine.ts";
import { plan } from "../plan.ts";
import { Random } from "./random.ts";
import { SimEngine, type Work } from "./sim-engine.ts";
import { Crash, DurableJournal, Effects, effectKey, randomWorkflow } from "./sim-world.ts";

/** Steps after which a run should long have ended. */
const MOST_STEPS = 20_000;

/** Things that go wrong in one run, at most: it has to end. */
const MOST_FAULTS = 30;

/** One run under faults, and what came of it. */
export class Simulation {
  readonly random: Random;
  readonly workflow: Workflow;
  readonly journal = new DurableJournal();
  readonly effects = new Effects();
  readonly faults = { crash: 0, takeover: 0, duplicate: 0, clockJump: 0, pause: 0, cancel: 0, snapshot: 0 };
  /** Monotonic time, in milliseconds. */
  clock = 0;
  #jump = 1_800_000_000_000;
  #engine: SimEngine;
  /** An engine that does not know yet that another has its run. */
  #zombie: SimEngine | undefined;
  #armed = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.workflow = randomWorkflow(this.random);
    this.#engine = new SimEngine(this);
  }

  /** The time that events carry, in Unix milliseconds; it may jump. */
  get wall(): number {
    return this.clock + this.#jump;
  }

  /** A time this many seconds from now. */
  in(seconds: number) {
    return timestampFromMs(this.wall + seconds * 1000);
  }

  /** Whether a task's condition is false: the same for every engine. */
  isFalse(task: number): boolean {
    return (task * 7 + this.workflow.tasks.length) % 11 === 0;
  }

  /** How many items a task has: the same for every engine. */
  itemsOf(task: number): number {
    return (task * 5) % 7;
  }

  /** Called by an engine around each append: it may be the last thing it does. */
  mayCrash(): void {
    if (this.#armed > 0 && --this.#armed === 0) throw new Crash();
  }

  /** Runs to the end. Answers what is wrong with it; nothing where all is well. */
  run(): string[] {
    const { plan: planned, issues } = plan(this.workflow);
    if (planned === undefined) return issues.map(({ message }) => message);
    const reused = this.random.chance(0.2) ? [0] : [];
    const { workflow } = this;
    const started = create(RunStartedSchema, { workflow, plan: planned, machineVersion: MACHINE_VERSION, reused });
    this.#engine.start(started);
    this.#engine.flush();
    for (let step = 0; step < MOST_STEPS; step++) {
      if (this.#engine.projection.run().endTime !== undefined && this.#engine.projection.machine.openTasks === 0) {
        if (this.#zombie === undefined || !this.#alive(this.#zombie)) return this.#judge();
      }
      this.#survive(() => this.#step());
    }
    return ["The run does not end."];
  }

  #survive(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#replace();
    }
  }

  /** A new engine takes the run up from what is durable. It may die on the way, too. */
  #replace(): void {
    this.#armed = 0;
    if (this.journal.rows.length === 0) throw new Error("The run was never accepted.");
    this.#engine = new SimEngine(this, this.journal.takeUp(this.random.chance(0.7)));
    this.#survive(() => this.#engine.resume());
  }

  #step(): void {
    const faults = Object.values(this.faults).reduce((sum, count) => sum + count, 0);
    if (faults < MOST_FAULTS && this.random.chance(0.12)) this.#fault();
    else if (this.#zombie !== undefined && this.random.chance(0.3)) this.#progressZombie(this.#zombie);
    else this.#progress(this.#engine);
  }

  #fault(): void {
    const engine = this.#engine;
    const kind = this.random.pick([
      "crash",
      "crash",
      "takeover",
      "duplicate",
      "clockJump",
      "pause",
      "cancel",
      "snapshot",
    ] as const);
    this.faults[kind]++;
    switch (kind) {
      case "crash":
        this.#armed = 1 + this.random.below(6);
        return;
      case "takeover":
        this.#zombie = engine;
        this.#replace();
        return;
      case "duplicate": {
        const [name, work] = [...engine.work].at(-1) ?? [];
        if (name !== undefined && work !== undefined) {
          engine.deliver(name, work);
          engine.deliver(name, work);
        }
        return;
      }
      case "clockJump":
        this.#jump += this.random.pick([-3_600_000, 3_600_000]);
        return;
      case "pause":
        engine.record({ case: "runPaused", value: create(RunPausedSchema) });
        return;
      case "cancel":
        if (this.random.chance(0.1))
          engine.record({ case: "runCancelRequested", value: create(RunCancelRequestedSchema) });
        return;
      case "snapshot":
        engine.snapshot();
        return;
    }
  }

  #alive(engine: SimEngine): boolean {
    return !engine.lost && (engine.work.size > 0 || engine.waiting.size > 0);
  }

  // It may only find out that its time is over.
  #progressZombie(zombie: SimEngine): void {
    const before = this.journal.rows.length;
    const armed = this.#armed;
    this.#armed = 0;
    this.#progress(zombie);
    this.#armed = armed;
    if (this.journal.rows.length !== before) throw new Error("An engine without the lease has written.");
    if (!this.#alive(zombie)) this.#zombie = undefined;
  }

  #progress(engine: SimEngine): void {
    if (this.random.chance(0.5)) engine.flush();
    const { random } = this;
    const [waiting, work] = [[...engine.waiting.keys()], [...engine.work]];
    const asked = this.workflow.tasks.flatMap((_, task) =>
      engine.projection.machine.status(task) === TaskStatus.WAITING_APPROVAL ? [task] : [],
    );
    const choice = random.next();
    if (waiting.length > 0 && choice < 0.4) engine.place(random.pick(waiting));
    else if (work.length > 0 && choice < 0.85) this.#work(engine, random.pick(work));
    else if (asked.length > 0 && choice < 0.9) this.#decide(engine, random.pick(asked));
    else this.#pass(engine);
    this.clock += random.below(100);
  }

  /** An expert does its work; or it fails; or its answer arrives. */
  #work(engine: SimEngine, [name, work]: [string, Work]): void {
    if (work.result === undefined && !this.random.chance(0.15)) work.result = this.effects.perform(work.key);
    else engine.deliver(name, work);
  }

  #decide(engine: SimEngine, task: number): void {
    const status = this.random.chance(0.8) ? ApprovalStatus.APPROVED : ApprovalStatus.REJECTED;
    const value = create(ApprovalDecidedSchema, { task, status, decidedBy: "jo" });
    engine.record({ case: "approvalDecided", value });
  }

  /** Time passes: to the next timer; and a pause ends, where nothing else would. */
  #pass(engine: SimEngine): void {
    const paused = engine.projection.machine.paused;
    if (paused && (this.random.chance(0.2) || engine.work.size === 0)) {
      engine.record({ case: "runResumed", value: create(RunResumedSchema) });
      return;
    }
    const idle = engine.work.size === 0 && engine.waiting.size === 0;
    const next = [...engine.timers].sort(([, a], [, b]) => a.due - b.due)[0];
    if (next === undefined || (next[0] === "run" && !idle && next[1].due > this.clock)) return;
    this.clock = Math.max(this.clock, next[1].due);
    engine.timers.delete(next[0]);
    next[1].fire();
  }

  #judge(): string[] {
    const events = this.journal.events();
    const wrong = checkHistory(events, { nowMs: this.wall }).map(
      ({ rule, seq, message }) => `${rule} at ${seq}: ${message}`,
    );
    const { projection } = this.#engine;
    const again = this.journal.takeUp(false);
    const bytesOf = (of: typeof again) => toBinary(RunSnapshotSchema, of.snapshot()).join();
    if (bytesOf(again) !== bytesOf(projection)) wrong.push("The journal tells another run.");
    return [...wrong, ...this.#judgeEffects(), ...this.#judgeContext()];
  }

  /** What the journal says came of each task is what the effect of its one key came to. */
  #judgeEffects(): string[] {
    return this.journal.events().flatMap(({ kind }) => {
      if (kind.case !== "taskCompleted" || kind.value.output?.kind.case !== "numberValue") return [];
      const key = effectKey(this.workflow.tasks[kind.value.task]!, kind.value.item);
      const told = kind.value.output.kind.value;
      return this.effects.results.get(key) === told ? [] : [`${key} came to ${told} in the journal.`];
    });
  }

  /** Every writer of the counter added one to what it saw: none may be lost. */
  #judgeContext(): string[] {
    const writes = this.journal
      .events()
      .filter(({ kind }) => kind.case === "taskCompleted" && kind.value.contextWrites.length > 0).length;
    const entry = this.#engine.projection.context.get("counter");
    const counted = entry?.value?.kind.case === "numberValue" ? entry.value.kind.value : 0;
    return counted === writes ? [] : [`${writes} writers, and the counter says ${counted}.`];
  }
}
