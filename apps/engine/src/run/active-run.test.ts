import { create } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  DatasetProfiledSchema,
  type Event,
  RunCancelRequestedSchema,
  RunPausedSchema,
  RunStartedSchema,
  RunStatus,
  TaskCompletedSchema,
  TaskStartedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import {
  type CancelTaskCommand,
  type DispatchCommand,
  MACHINE_VERSION,
  plan,
  RunProjection,
  type WithdrawCommand,
} from "@odg/workflow";
import { describe, expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { createLogger } from "../logger.ts";
import { MemoryStore } from "../store/memory.ts";
import { type Append, type Journal, JournalConflict } from "../store/store.ts";
import { ActiveRun } from "./active-run.ts";
import { loadRun } from "./load-run.ts";
import type { Performer } from "./perform-command.ts";

const logger = createLogger("silent");

/** Time stands still until someone moves it. */
class ManualClock implements Clock {
  time = 1_700_000_000_000;
  #waiting: { at: number; callback: () => void }[] = [];
  now = () => this.time;
  random = () => 0.5;
  after(ms: number, callback: () => void) {
    const one = { at: this.time + ms, callback };
    this.#waiting.push(one);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== one);
    };
  }
  get timers() {
    return this.#waiting.length;
  }
  advance(ms: number) {
    this.time += ms;
    const due = this.#waiting.filter(({ at }) => at <= this.time);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.time);
    for (const { callback } of due) callback();
  }
}

/** Remembers what it was asked to do. */
class Script implements Performer {
  dispatched: string[] = [];
  cancelled: number[] = [];
  dispatch(run: ActiveRun, { task, attempt }: DispatchCommand) {
    this.dispatched.push(`${run.task(task).id}#${attempt}`);
  }
  cancel(_: ActiveRun, { task }: CancelTaskCommand) {
    this.cancelled.push(task);
  }
  withdrawn: number[] = [];
  withdraw(_: ActiveRun, { task }: WithdrawCommand) {
    this.withdrawn.push(task);
  }
  completeTask() {}
  reuse() {}
}

function workflowOf(edges: Record<string, string[]>, maxAttempts = 1) {
  return create(WorkflowSchema, {
    workflowId: "w",
    tasks: Object.entries(edges).map(([id, dependsOn]) => ({ id, action: "a", dependsOn, retry: { maxAttempts } })),
  });
}

function startedOf(workflow: ReturnType<typeof workflowOf>) {
  const compiled = plan(workflow);
  if (compiled.issues) throw new Error(compiled.issues[0]?.message);
  return create(RunStartedSchema, { workflow, plan: compiled.plan, machineVersion: MACHINE_VERSION });
}

async function begin(edges: Record<string, string[]>, options: { journal?: Journal; maxAttempts?: number } = {}) {
  const [clock, performer, journal] = [new ManualClock(), new Script(), options.journal ?? new MemoryStore()];
  const run = new ActiveRun("01900000-0000-7000-8000-000000000001", { journal, performer, clock, logger });
  await run.start(startedOf(workflowOf(edges, options.maxAttempts)));
  return { run, clock, performer, journal };
}

/** A run as an engine finds it that takes it up. */
async function left(journal: Journal, runId: string) {
  const events = await journal.readEvents(runId, 0n);
  const [first] = events;
  if (first?.kind.case !== "runStarted") throw new Error("the journal does not begin with RunStarted");
  const projection = new RunProjection();
  for (const event of events) projection.apply(event);
  return { started: first.kind.value, projection, profiles: [], replayed: events.length };
}

const begun = (run: ActiveRun, task: number, attempt = 1) =>
  run.record({ case: "taskStarted", value: create(TaskStartedSchema, { task, attempt, expert: "E@1.0.0" }) });
const done = (run: ActiveRun, task: number, more: object = {}) =>
  run.record({ case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt: 1, ...more }) });
/** What became durable. */
const told = (run: ActiveRun) => run.tail.after(0n) ?? [];
const kinds = (events: readonly Event[]) => events.map(({ kind }) => kind.case);
const unavailable = create(FailureSchema, { reason: Reason.UNAVAILABLE, message: "away", retryable: true });

describe("an active run", () => {
  test("with a synchronous journal runs its whole circle synchronously", async () => {
    const { run, performer } = await begin({ a: [], b: ["a"] });
    begun(run, 0);
    done(run, 0);
    expect(performer.dispatched).toEqual(["a#1", "b#1"]);
    begun(run, 1);
    done(run, 1);
    expect(kinds(told(run))).toEqual([
      "runStarted",
      "taskStarted",
      "taskCompleted",
      "taskStarted",
      "taskCompleted",
      "runCompleted",
    ]);
    expect(told(run).map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    expect((await run.ended).status).toBe(RunStatus.SUCCEEDED);
  });

  test("records nothing behind its end", async () => {
    const { run, journal } = await begin({ a: [] });
    begun(run, 0);
    done(run, 0);
    begun(run, 0);
    done(run, 0);
    expect(await journal.readEvents(run.runId, 0n)).toHaveLength(4);
  });

  test("appends before it applies: nothing is dispatched on the ground of an event that is not durable", async () => {
    const store = new MemoryStore();
    let release: (() => void) | undefined;
    const slow: Journal = {
      append: async (append: Append) => {
        if (append.events[0]?.kind.case !== "runStarted") await new Promise<void>((resolve) => (release = resolve));
        store.append(append);
      },
      readEvents: (runId, after) => store.readEvents(runId, after),
    };
    const { run, performer } = await begin({ a: [], b: ["a"] }, { journal: slow });
    begun(run, 0);
    done(run, 0);
    await Promise.resolve();
    expect(performer.dispatched).toEqual(["a#1"]);
    for (let i = 0; i < 2; i++) {
      release?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(performer.dispatched).toEqual(["a#1", "b#1"]);
  });

  test("waits for a journal that fails, and loses nothing", async () => {
    const store = new MemoryStore();
    let faults = 2;
    const flaky: Journal = {
      append: (append) => {
        if (append.events[0]?.kind.case !== "runStarted" && faults-- > 0) throw new Error("no connection");
        store.append(append);
      },
      readEvents: (runId, after) => store.readEvents(runId, after),
    };
    const { run, clock } = await begin({ a: [] }, { journal: flaky });
    begun(run, 0);
    done(run, 0);
    for (let i = 0; i < 4; i++) {
      clock.advance(10_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await run.ended).status).toBe(RunStatus.SUCCEEDED);
    expect(kinds(await store.readEvents(run.runId, 0n))).toEqual(kinds(told(run)));
  });

  test("gives the run up where another writer has it", async () => {
    const store = new MemoryStore();
    const fenced: Journal = {
      append: (append) => {
        if (append.events[0]?.kind.case !== "runStarted") throw new JournalConflict("taken");
        store.append(append);
      },
      readEvents: (runId, after) => store.readEvents(runId, after),
    };
    const { run } = await begin({ a: [] }, { journal: fenced });
    begun(run, 0);
    await expect(run.ended).rejects.toThrow(JournalConflict);
    expect(told(run)).toHaveLength(1);
  });

  test("tries a retryable failure again after its wait", async () => {
    const { run, clock, performer } = await begin({ a: [] }, { maxAttempts: 2 });
    begun(run, 0);
    run.record({ case: "taskFailed", value: run.failed({ item: 0, task: 0, attempt: 1, failure: unavailable }) });
    expect(performer.dispatched).toEqual(["a#1"]);
    clock.advance(60_000);
    expect(performer.dispatched).toEqual(["a#1", "a#2"]);
    begun(run, 0, 2);
    run.record({ case: "taskFailed", value: run.failed({ item: 0, task: 0, attempt: 2, failure: unavailable }) });
    expect((await run.ended).status).toBe(RunStatus.FAILED);
    expect(clock.timers).toBe(0);
  });

  test("fails an attempt whose context write was overtaken, and commits nothing of it", async () => {
    const { run } = await begin({ a: [], b: [] }, { maxAttempts: 2 });
    const write = (text: string) => ({
      contextWrites: [
        { key: "k", expectedVersion: 0n, value: create(ValueSchema, { kind: { case: "stringValue", value: text } }) },
      ],
    });
    begun(run, 0);
    begun(run, 1);
    done(run, 0, write("first"));
    done(run, 1, write("second"));
    const failed = told(run).at(-1)?.kind;
    expect(failed?.case === "taskFailed" && failed.value.failure?.reason).toBe(Reason.CONTEXT_CONFLICT);
    const entry = run.projection.context.get("k");
    expect([entry?.version, entry?.taskId, entry?.expert, entry?.seq]).toEqual([1n, "a", "E@1.0.0", 4n]);
  });

  test("cancels what runs, waits or is not begun", async () => {
    const { run, clock, performer } = await begin({ a: [], b: [], c: ["a"] }, { maxAttempts: 2 });
    begun(run, 0);
    begun(run, 1);
    run.record({ case: "taskFailed", value: run.failed({ item: 0, task: 1, attempt: 1, failure: unavailable }) });
    run.record({ case: "runCancelRequested", value: create(RunCancelRequestedSchema, { reason: "enough" }) });
    expect((await run.ended).status).toBe(RunStatus.CANCELLED);
    expect(performer.cancelled).toContain(0);
    expect(clock.timers).toBe(0);
  });

  test("goes on from its journal with what was in flight", async () => {
    const { run, journal } = await begin({ a: [], b: ["a"], c: ["a"] });
    begun(run, 0);
    done(run, 0);
    begun(run, 1);
    run.stop(new Error("engine ends"));
    await expect(run.ended).rejects.toThrow("engine ends");

    const [clock, performer] = [new ManualClock(), new Script()];
    const next = new ActiveRun(run.runId, { journal, performer, clock, logger });
    next.resume(await left(journal, run.runId));
    expect(performer.dispatched.sort()).toEqual(["b#1", "c#1"]);
    done(next, 1);
    begun(next, 2);
    done(next, 2);
    expect((await next.ended).status).toBe(RunStatus.SUCCEEDED);
    const seqs = (await journal.readEvents(run.runId, 0n)).map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, place) => BigInt(place + 1)));
  });

  test("journals nothing that its machine refuses, and tells whoever recorded it", async () => {
    const { run, journal } = await begin({ a: [] });
    const accepted: boolean[] = [];
    const then = (one: boolean) => void accepted.push(one);
    run.record({ case: "taskStarted", value: create(TaskStartedSchema, { task: 0, attempt: 2 }) }, { then });
    run.record({ case: "taskStarted", value: create(TaskStartedSchema, { task: 0, attempt: 1 }) }, { then });
    run.record({ case: "runPaused", value: create(RunPausedSchema) }, { then });
    run.record({ case: "runPaused", value: create(RunPausedSchema) }, { then });
    done(run, 0);
    run.record({ case: "runPaused", value: create(RunPausedSchema) }, { then });
    expect(accepted).toEqual([false, true, true, false, false]);
    const events = await journal.readEvents(run.runId, 0n);
    expect(kinds(events)).toEqual(["runStarted", "taskStarted", "runPaused", "taskCompleted", "runCompleted"]);
    expect(events.map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n, 5n]);
  });

  test("leaves a snapshot every thousand events, from which it goes on as from its whole journal", async () => {
    const store = new MemoryStore();
    const tasks = Array.from({ length: 250 }, (_, n) => [`t${n}`, n === 249 ? ["t0"] : []] as const);
    const { run, performer } = await begin(Object.fromEntries(tasks.map(([id, on]) => [id, [...on]])), {
      journal: store,
    });
    for (let task = 0; task < 200; task++) {
      begun(run, task);
      done(run, task);
    }
    for (let n = 0; n < 1000; n++) run.record({ case: "datasetProfiled", value: create(DatasetProfiledSchema) });
    expect(performer.dispatched).toHaveLength(250);
    const stored = await store.readRun(run.runId);
    expect(stored?.snapshot?.seq).toBe(1000n);
    expect(stored?.events).toHaveLength(401);
    run.stop(new Error("killed"));

    const loaded = await loadRun(store, run.runId);
    expect(loaded.replayed).toBe(401);
    expect(loaded.projection.run()).toEqual((await left(store, run.runId)).projection.run());
    const again = new Script();
    const next = new ActiveRun(run.runId, { journal: store, performer: again, clock: new ManualClock(), logger });
    next.resume({ ...loaded, profiles: [] });
    expect(again.dispatched).toHaveLength(50);
    begun(next, 249);
    done(next, 249);
    expect((await store.readRun(run.runId))?.snapshot?.seq, "it is taken anew after a long replay").toBe(1402n);
  });

  test("leaves none before there are four events for each task, so that large runs do not pay for them over and over", async () => {
    const store = new MemoryStore();
    const edges = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`t${n}`, []]));
    const { run } = await begin(edges, { journal: store });
    const profiled = () => run.record({ case: "datasetProfiled", value: create(DatasetProfiledSchema) });
    for (let n = 0; n < 1598; n++) profiled();
    expect((await store.readRun(run.runId))?.snapshot).toBeUndefined();
    profiled();
    expect((await store.readRun(run.runId))?.snapshot?.seq).toBe(1600n);
  });

  test("goes on behind an event of an earlier engine that changed nothing", async () => {
    const store = new MemoryStore();
    const { run } = await begin({ a: [], b: ["a"] }, { journal: store });
    begun(run, 0);
    run.stop(new Error("killed"));
    const events = await store.readEvents(run.runId, 0n);
    store.append({ runId: run.runId, events: [{ ...events[1]!, seq: 3n }], run: run.projection.run() });

    const performer = new Script();
    const loaded = await loadRun(store, run.runId);
    const next = new ActiveRun(run.runId, { journal: store, performer, clock: new ManualClock(), logger });
    next.resume({ ...loaded, profiles: [] });
    expect(performer.dispatched).toEqual(["a#1"]);
    done(next, 0);
    expect(performer.dispatched).toEqual(["a#1", "b#1"]);
    expect((await store.readEvents(run.runId, 3n)).map(({ seq }) => seq)).toEqual([4n]);
  });

  test("that was left can be taken up only to be cancelled", async () => {
    const { run, journal } = await begin({ a: [], b: ["a"] });
    begun(run, 0);
    run.stop(new Error("killed"));
    const performer = new Script();
    const next = new ActiveRun(run.runId, { journal, performer, clock: new ManualClock(), logger });
    next.cancelLeft(await left(journal, run.runId), "its process ended");
    expect((await next.ended).status).toBe(RunStatus.CANCELLED);
    expect(performer.dispatched).toEqual([]);
  });
});
