import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { permissionsSchema } from "@odg/expert-plugin-api";
import { DescribeResponseSchema, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import type { RegisteredExpert } from "../expert/registry.ts";
import { createLogger } from "../logger.ts";
import { MemoryStore } from "../store/memory.ts";
import { ActiveRun } from "./active-run.ts";
import type { WeightOf } from "./fair-queue.ts";
import type { Job } from "./job.ts";
import { type Chosen, WaitingRoom } from "./waiting-room.ts";

const transport = createRouterTransport(() => undefined);
const performer = { dispatch() {}, completeTask() {}, reuse() {}, cancel() {}, withdraw() {} };
const logger = createLogger("silent");

function expertOf(capacity: number): RegisteredExpert {
  const instance = {
    id: "E@1.0.0#1",
    client: createClient(ExpertService, transport),
    packageRoot: "",
    healthy: true,
    load: 0,
    close: async () => undefined,
  };
  return {
    id: "E@1.0.0",
    description: create(DescribeResponseSchema, {
      name: "E",
      version: "1.0.0",
      actions: [
        { name: "a", capability: "a" },
        { name: "b", capability: "b" },
      ],
      maxConcurrentTasks: capacity,
    }),
    placement: "module",
    packageName: "E",
    permissions: permissionsSchema.parse({}),
    digest: "",
    publisher: "",
    averageLatencyMs: 0,
    instances: [instance],
  };
}

/** A room whose experts work in rounds: everybody who is at work ends at the end of the round. */
class Office {
  readonly room: WaitingRoom;
  readonly begun: Job[] = [];
  readonly refused: string[] = [];
  #working: { job: Job; chosen: Chosen | undefined }[] = [];

  constructor(capacity: number, weightOf: WeightOf = () => 1) {
    const experts = [expertOf(capacity)];
    this.room = new WaitingRoom({
      experts: () => experts,
      weightOf,
      begin: (job, chosen) => {
        if (chosen) chosen.instance.load++;
        this.begun.push(job);
        this.#working.push({ job, chosen });
      },
      refuse: (_, { why }) => void this.refused.push(why),
    });
  }

  add(jobs: readonly Job[]): void {
    for (const job of jobs) this.room.add(job);
  }

  /** Ends a round; answers who ended. */
  round(): Job[] {
    const ended = this.#working.splice(0);
    for (const { chosen } of ended) if (chosen) chosen.instance.load--;
    for (const { job } of ended) this.room.leave(job);
    this.room.placeAll();
    return ended.map(({ job }) => job);
  }
}

const runs = new Map<string, ActiveRun>();

function job(runId: string, more: Partial<Job> & { user?: string } = {}): Job {
  const run =
    runs.get(runId) ?? new ActiveRun(runId, { journal: new MemoryStore(), performer, clock: systemClock, logger });
  runs.set(runId, run);
  const { user = "", ...rest } = more;
  return {
    run,
    task: 0,
    item: 0,
    attempt: 1,
    underWay: false,
    need: { expert: "E", action: "a", version: "" },
    input: {},
    upstream: {},
    place: { user, runId, runPriority: 0, priority: 1 },
    stop: new AbortController(),
    ...rest,
  };
}

const jobs = (count: number, runId: string, more: Parameters<typeof job>[1] = {}) =>
  Array.from({ length: count }, () => job(runId, more));

/** Rounds that a run takes: one task, four behind it, one behind those. */
function roundsOfSixTasks(office: Office, user: string): number {
  const steps = [jobs(1, "small", { user }), jobs(4, "small", { user }), jobs(1, "small", { user })];
  let rounds = 0;
  for (const step of steps) {
    office.add(step);
    for (let open = step.length; open > 0; rounds++) open -= office.round().filter((one) => step.includes(one)).length;
  }
  return rounds;
}

describe("a waiting room", () => {
  test.each(["", "bob"])(
    "delays a run of six tasks to its double at most beside one of ten thousand, of user %j",
    (user) => {
      const alone = roundsOfSixTasks(new Office(4), user);
      expect(alone).toBe(3);
      const office = new Office(4);
      office.add(jobs(10_000, "large"));
      for (let i = 0; i < 10; i++) office.round();
      expect(roundsOfSixTasks(office, user)).toBeLessThanOrEqual(2 * alone);
    },
  );

  test("keeps one of eight places free of a run that has the others, so that a small one does not wait for it", () => {
    const office = new Office(8);
    office.add(jobs(10_000, "large"));
    expect(office.begun).toHaveLength(7);
    for (let i = 0; i < 10; i++) office.round();
    office.begun.length = 0;
    const chain = jobs(3, "small");
    for (const one of chain) {
      office.add([one]);
      expect(office.begun.at(-1)).toBe(one);
      office.round();
    }
    // Two large runs share all eight.
    office.add(jobs(100, "other"));
    office.round();
    office.begun.length = 0;
    office.round();
    expect(office.begun).toHaveLength(8);
  });

  test("shares an expert by the users' weights, whatever the actions", () => {
    const office = new Office(3, (user) => (user === "alice" ? 2 : 1));
    office.add(jobs(60, "one", { user: "alice" }));
    office.add(jobs(60, "two", { user: "bob", need: { expert: "E", action: "b", version: "" } }));
    for (let i = 0; i < 20; i++) office.round();
    const alice = office.begun.filter(({ place }) => place.user === "alice").length;
    expect(alice).toBeGreaterThanOrEqual(38);
    expect(alice).toBeLessThanOrEqual(44);
  });

  test("lets as many in at once as the smallest limit of a key says", () => {
    const office = new Office(10);
    const limited = (atOnce: number) => job("r", { limit: { key: "k", atOnce } });
    office.add([limited(3), limited(3), limited(3), limited(3)]);
    expect(office.begun).toHaveLength(3);
    office.add([limited(1), job("r")]);
    expect(office.begun, "what has no limit does not wait").toHaveLength(4);
    office.round();
    expect(office.begun, "one at a time while one is there that wants that").toHaveLength(5);
    for (let i = 0; i < 3; i++) office.round();
    expect(office.begun).toHaveLength(6);
  });

  test("gives the place of one that was called back to the next", () => {
    const office = new Office(1);
    const [first, second, third] = [job("r"), job("r", { limit: { key: "k", atOnce: 1 } }), job("r")];
    office.add([first, second, third]);
    office.room.leave(second);
    office.round();
    expect(office.begun).toEqual([first, third]);
  });

  test("refuses what no expert can do", () => {
    const office = new Office(1);
    office.add([job("r", { need: { expert: "Nobody", action: "a", version: "" } }), job("r")]);
    expect(office.refused).toEqual(['no expert for Nobody with action "a"']);
    expect(office.begun).toHaveLength(1);
  });
});
