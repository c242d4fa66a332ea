// Several engines of one store: who drives a run, who takes it over, and what one asks of another.
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ApprovalStatus, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reasonOf, USER_HEADER } from "@odg/rpc";
import { afterEach, describe, expect, it } from "vitest";
import type { EngineConfig } from "../config.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { postgresUrl, temporaryDatabase } from "../store/testing/fixtures.ts";
import { type EngineUnderTest, gate, PROBE_EXPERT, startEngine, watchToEnd, workflowOf } from "../testing/index.ts";

interface Household {
  store: EngineConfig["store"];
  /** As if an engine had not renewed its lease. */
  expire(name: string): Promise<unknown>;
  drop(): Promise<void>;
}

const HOUSEHOLDS: Record<string, () => Promise<Household>> = {
  memory: async () => {
    const database = new MemoryDatabase();
    return {
      store: { kind: "memory", database },
      expire: async (name) => database.expire(name),
      drop: async () => undefined,
    };
  },
};
if (postgresUrl) {
  HOUSEHOLDS.Postgres = async () => {
    const { url, query, drop } = await temporaryDatabase();
    const expire = (name: string) =>
      query("update engines set lease_until = now() - interval '1 s' where name = $1", [name]);
    return { store: { kind: "postgres", url }, expire, drop };
  };
}

const as = (user: string) => ({ headers: { [USER_HEADER]: user } });
const hold = (id: string, name: string, more: object = {}) => ({ id, action: "hold", inputs: { gate: name }, ...more });

describe.each(Object.entries(HOUSEHOLDS))("engines that share a store in %s", (kind, open) => {
  const opened: { close(): Promise<unknown> }[] = [];
  let gates = 0;
  const gateOf = () => {
    const name = `${kind}-engines-${++gates}`;
    return { name, opening: gate(name) };
  };
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  async function household() {
    const made = await open();
    opened.push({ close: () => made.drop() });
    const engine = async (name: string, more: Partial<EngineConfig> = {}): Promise<EngineUnderTest> => {
      const started = await startEngine({ store: made.store, experts: [PROBE_EXPERT], name, ...more });
      opened.push(started);
      return started;
    };
    return { ...made, engine };
  }

  async function start({ runs }: EngineUnderTest, tasks: object[], user = ""): Promise<string> {
    const source = { case: "workflow" as const, value: workflowOf(tasks) };
    return (await runs.startRun({ source }, as(user))).run?.runId ?? "";
  }

  const refusal = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return [Reason[reasonOf(error)], error instanceof ConnectError ? Code[error.code] : ""];
  };

  it("do what is asked of a run on the one that drives it, and watch it from any", async () => {
    const { engine } = await household();
    const [one, two] = [await engine("one"), await engine("two")];
    const { name, opening } = gateOf();
    const consent = { id: "consent", approval: { question: "?" }, depends_on: ["held"] };
    const runId = await start(one, [hold("held", name), consent], "alice");
    await opening.arrivals(1);
    const watched = watchToEnd(two.runs, runId);
    expect((await two.runs.pauseRun({ runId })).run?.status).toBe(RunStatus.PAUSED);
    expect((await one.runs.getRun({ runId })).run?.status).toBe(RunStatus.PAUSED);
    expect((await two.runs.resumeRun({ runId })).run?.status).toBe(RunStatus.RUNNING);
    opening.open();
    for (let asked = 0; asked === 0; ) asked = (await two.runs.listApprovals({ runId })).approvals.length;
    const decide = (user: string, approve: boolean) =>
      two.runs.decideApproval({ runId, taskId: "consent", approve, reason: "so be it" }, as(user));
    expect(await refusal(decide("alice", true))).toEqual(["POLICY_DENIED", "PermissionDenied"]);
    expect((await decide("bob", true)).approval).toMatchObject({ status: ApprovalStatus.APPROVED, decidedBy: "bob" });
    expect(await refusal(decide("bob", false))).toEqual(["STATE_INVALID", "Aborted"]);
    const { run, events } = await watched;
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, place) => place + 1));
    expect(await refusal(two.runs.cancelRun({ runId }))).toEqual(["STATE_INVALID", "FailedPrecondition"]);
  });

  it("go on with the run of one that left, under its old key, and answer a request once wherever it is repeated", async () => {
    const { engine } = await household();
    const one = await engine("one");
    const { name, opening } = gateOf();
    const request = {
      source: {
        case: "workflow" as const,
        value: workflowOf([hold("held", name), { id: "after", action: "echo", depends_on: ["held"] }]),
      },
      requestId: crypto.randomUUID(),
    };
    const runId = (await one.runs.startRun(request)).run?.runId ?? "";
    await opening.arrivals(1);
    const two = await engine("two");
    await one.close();
    opened.splice(opened.indexOf(one), 1);
    await opening.arrivals(2);
    expect((await two.runs.startRun(request)).run?.runId).toBe(runId);
    opening.open();
    const { run, events } = await watchToEnd(two.runs, runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect(events.filter(({ kind }) => kind.case === "taskCompleted")).toHaveLength(2);
    const changed = { ...request, labels: { other: "body" } };
    expect(await refusal(two.runs.startRun(changed))).toEqual(["IDEMPOTENCY_CONFLICT", "AlreadyExists"]);
  });

  it("refuse what one writes that was away for longer than its lease", async () => {
    const { engine, expire } = await household();
    const one = await engine("one", { leftRuns: "leave" });
    const { name, opening } = gateOf();
    const runId = await start(one, [hold("held", name), { id: "after", action: "echo", depends_on: ["held"] }]);
    await opening.arrivals(1);
    await expire("one");
    const two = await engine("two");
    await opening.arrivals(2);
    opening.open();
    const { run, events } = await watchToEnd(two.runs, runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect(events.filter(({ kind }) => kind.case === "taskCompleted")).toHaveLength(2);
    expect((await watchToEnd(one.runs, runId)).events).toEqual(events);
  });

  it("leave everything to the one that takes their name", async () => {
    const { engine } = await household();
    const former = await engine("same");
    const { name, opening } = gateOf();
    const runId = await start(former, [hold("held", name)]);
    await opening.arrivals(1);
    const latter = await engine("same");
    await opening.arrivals(2);
    opening.open();
    expect((await watchToEnd(latter.runs, runId)).run.status).toBe(RunStatus.SUCCEEDED);
    // It learns of it with the next renewal of its lease, at the latest.
    for (let refused = false; !refused; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const [reason] = await refusal(start(former, [{ id: "late", action: "echo" }]));
      refused = reason === "UNAVAILABLE";
    }
  });
});
