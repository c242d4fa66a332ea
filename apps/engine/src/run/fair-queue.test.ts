import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BURST, FairQueue, type Place } from "./fair-queue.ts";

interface Job {
  name: string;
  place: Place;
}

let made = 0;

function job(place: Partial<Place>): Job {
  const full = { user: "", runId: "r", runPriority: 0, priority: 1, ...place };
  return { name: `${full.user}/${full.runId}/${++made}`, place: full };
}

function queueOf(jobs: readonly Job[], weights: Record<string, number> = {}): FairQueue<Job> {
  const queue = new FairQueue<Job>((user) => weights[user] ?? 1);
  for (const one of jobs) queue.push(one, one.place);
  return queue;
}

function drain(queue: FairQueue<Job>, count = Number.POSITIVE_INFINITY): Job[] {
  const taken: Job[] = [];
  for (let one = queue.take(); one; one = queue.take()) {
    taken.push(one);
    if (taken.length >= count) break;
  }
  return taken;
}

const times = (count: number, place: Partial<Place>) => Array.from({ length: count }, () => job(place));

describe("a fair queue", () => {
  test("gives users what their weights say", () => {
    const queue = queueOf([...times(300, { user: "alice", runId: "a" }), ...times(300, { user: "bob", runId: "b" })], {
      alice: 2,
    });
    const first = drain(queue, 300).filter(({ place }) => place.user === "alice");
    expect(Math.abs(first.length - 200)).toBeLessThanOrEqual(BURST);
  });

  test("lets a small run through a run of ten thousand", () => {
    const queue = queueOf(times(10_000, { runId: "large" }));
    drain(queue, 100);
    const small = times(6, { runId: "small" });
    for (const one of small) queue.push(one, one.place);
    const turns = drain(queue, 6).filter(({ place }) => place.runId === "small");
    expect(turns).toHaveLength(6);
  });

  test("goes by priority within a run, and by arrival among equals", () => {
    const jobs = [job({ priority: 1 }), job({ priority: 3 }), job({ priority: 3 }), job({ priority: 2 })];
    expect(drain(queueOf(jobs))).toEqual([jobs[1], jobs[2], jobs[3], jobs[0]]);
  });

  test("puts a user's urgent run before the user's others, and not before other users'", () => {
    const jobs = [
      ...times(10, { user: "alice", runId: "calm" }),
      ...times(10, { user: "alice", runId: "urgent", runPriority: 5 }),
      ...times(10, { user: "bob", runId: "other", runPriority: -10 }),
    ];
    const order = drain(queueOf(jobs)).map(({ place }) => place.runId);
    expect(order.lastIndexOf("urgent")).toBeLessThan(order.indexOf("calm"));
    expect(order.slice(0, 20).filter((one) => one === "other")).toHaveLength(10);
  });

  test("lets a user who was away make up for no more than a burst", () => {
    const queue = queueOf(times(1000, { user: "busy" }));
    drain(queue, 500);
    for (const one of times(500, { user: "late" })) queue.push(one, one.place);
    const turns = drain(queue, 100).filter(({ place }) => place.user === "late");
    expect(turns.length).toBeGreaterThanOrEqual(50);
    expect(turns.length).toBeLessThanOrEqual(51 + BURST / 2);
  });

  test("does not starve a large run where small ones keep coming", () => {
    const queue = queueOf(times(1000, { runId: "large" }));
    let large = 0;
    for (let turn = 0; turn < 600; turn++) {
      const one = job({ runId: `small-${turn}` });
      queue.push(one, one.place);
      if (queue.take()?.place.runId === "large") large++;
    }
    expect(large).toBeGreaterThanOrEqual(10);
  });

  test("takes out what is called back without charging its flow", () => {
    const [one, two] = [job({ runId: "a" }), job({ runId: "b" })];
    const queue = queueOf([one, two]);
    expect(queue.remove(one)).toBe(true);
    expect(queue.remove(one)).toBe(false);
    expect(queue.size).toBe(1);
    expect(drain(queue)).toEqual([two]);
    expect(queue.peek()).toBeUndefined();
  });

  const places = fc.record({
    user: fc.constantFrom("", "alice", "bob"),
    runId: fc.constantFrom("r1", "r2", "r3"),
    runPriority: fc.constant(0),
    priority: fc.integer({ min: 1, max: 5 }),
  });
  const steps = fc.array(
    fc.oneof({ weight: 3, arbitrary: places }, fc.constantFrom("take" as const, "remove" as const)),
    {
      maxLength: 200,
    },
  );

  test("loses nothing and doubles nothing, whatever comes and goes", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const queue = new FairQueue<Job>();
        const inside = new Set<Job>();
        for (const step of sequence) {
          if (step === "take") {
            const expected = queue.peek();
            const taken = queue.take();
            expect(taken).toBe(expected);
            expect(taken !== undefined).toBe(inside.size > 0);
            if (taken) expect(inside.delete(taken)).toBe(true);
          } else if (step === "remove") {
            const [first] = inside;
            if (first) expect(queue.remove(first)).toBe(inside.delete(first));
          } else {
            const one = job(step);
            queue.push(one, one.place);
            inside.add(one);
          }
          expect(queue.size).toBe(inside.size);
        }
        expect(new Set(drain(queue))).toEqual(inside);
      }),
    );
  });

  test("keeps two users who both wait within the bound, at any moment", () => {
    const weight = fc.integer({ min: 1, max: 8 });
    const before = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(weight, weight, before, (a, b, head) => {
        const queue = queueOf(times(400, { user: "alice" }), { alice: a, bob: b });
        drain(queue, head);
        for (const one of times(400, { user: "bob" })) queue.push(one, one.place);
        const served = { alice: 0, bob: 0 };
        for (let turn = 0; turn < 300; turn++) {
          served[queue.take()?.place.user as "alice" | "bob"]++;
          expect(Math.abs(served.alice / a - served.bob / b)).toBeLessThanOrEqual(
            1 / a + 1 / b + BURST / Math.min(a, b) + 1e-9,
          );
        }
      }),
      { numRuns: 50 },
    );
  });
});
