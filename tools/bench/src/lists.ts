// What a page of runs costs among 100,000 of them, by each filter.
import { parseArgs } from "node:util";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema, type Run, RunSchema, RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { openPostgres } from "../../../apps/engine/src/store/postgres.ts";
import type { RunFilter } from "../../../apps/engine/src/store/store.ts";
import { seeded } from "./dags.ts";
import { machineLine, median } from "./machine.ts";

const GOAL_MS = 50;
const PAGE = 50;
const DAY_MS = 86_400_000;
const DAYS = 90;
const FIRST_MS = Date.UTC(2026, 0, 1);
const AT_ONCE = 1000;
const USERS = 1000;
const TEAMS = 10;
const STATUSES = [RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.CANCELLED, RunStatus.FAILED];

const { values } = parseArgs({
  options: { runs: { type: "string", default: "100000" }, queries: { type: "string", default: "200" } },
});
const server = process.env.ODG_TEST_POSTGRES_URL;
if (!server) {
  console.error('needs a Postgres: npm run services -- start postgres, then eval "$(npm run -s services -- env)"');
  process.exit(2);
}
const count = Number(values.runs);
const random = seeded(1);
const below = (n: number) => Math.floor(random() * n);

function runAt(i: number): Run {
  const msecs = FIRST_MS + Math.floor((i / count) * DAYS * DAY_MS);
  // One of a hundred is running, paused, cancelled; a few more have failed.
  const status = STATUSES[below(100)] ?? RunStatus.SUCCEEDED;
  return create(RunSchema, {
    runId: uuidv7({ msecs }),
    workflowId: `workflow_${below(20)}`,
    workflowVersion: "v1",
    status,
    createTime: timestampFromMs(msecs),
    lastSeq: 1n,
    user: `user${below(USERS)}@example.org`,
    labels: { team: `team-${below(TEAMS)}`, env: ["dev", "test", "live"][below(3)] ?? "", order: `order-${i}` },
    tasks: [{ taskId: "schema_analysis", status: TaskStatus.SUCCEEDED, summary: "12 columns, 1,000 rows" }],
    taskCounts: [{ status: TaskStatus.SUCCEEDED, count: 6 }],
  });
}

function firstEvent({ runId, createTime }: Run): Event {
  const kind = { case: "taskSkipped", value: { task: 0 } } as const;
  return create(EventSchema, { runId, seq: 1n, kind, ...(createTime ? { time: createTime } : {}) });
}

const admin = new pg.Client({ connectionString: server });
await admin.connect();
const name = `odg_bench_${process.pid}`;
const url = new URL(server);
url.pathname = `/${name}`;
await admin.query(`create database ${name}`);
const store = await openPostgres(url.href);
const own = new pg.Client({ connectionString: url.href });
await own.connect();
try {
  const start = performance.now();
  const ids: string[] = [];
  for (let i = 0; i < count; i += AT_ONCE) {
    const runs = Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, k) => runAt(i + k));
    await Promise.all(runs.map((run) => store.append({ runId: run.runId, events: [firstEvent(run)], run })));
    for (const { runId } of runs) ids.push(runId);
  }
  // As Postgres does by itself within a minute.
  await own.query("analyze");
  console.log(machineLine());
  console.log(`${count} runs, written in ${((performance.now() - start) / 1000).toFixed(1)} s; pages of ${PAGE}\n`);
  await measureAll(ids);
} finally {
  await own.end();
  await store.close();
  await admin.query(`drop database ${name} with (force)`);
  await admin.end();
}

async function measureAll(ids: readonly string[]): Promise<void> {
  const before = () => ids[below(ids.length)] ?? "";
  const from = () => FIRST_MS + below(DAYS) * DAY_MS;
  const filters: Record<string, () => Omit<RunFilter, "limit">> = {
    newest: () => ({}),
    "a page further back": () => ({ before: before() }),
    "by workflow": () => ({ workflowId: `workflow_${below(20)}` }),
    "by a frequent status": () => ({ status: RunStatus.SUCCEEDED }),
    "by a rare status": () => ({ status: RunStatus.PAUSED }),
    "by status and workflow": () => ({ status: RunStatus.RUNNING, workflowId: `workflow_${below(20)}` }),
    "by user": () => ({ user: `user${below(USERS)}@example.org` }),
    "by user, none": () => ({ user: "nobody@example.org" }),
    "by a frequent label": () => ({ labels: { team: `team-${below(TEAMS)}` } }),
    "by a label of one run": () => ({ labels: { order: `order-${below(count)}` } }),
    "by a label of no run": () => ({ labels: { order: "none" } }),
    "by two labels": () => ({ labels: { team: `team-${below(TEAMS)}`, env: "live" } }),
    "by label and status": () => ({ labels: { team: `team-${below(TEAMS)}` }, status: RunStatus.PAUSED }),
    "by a day": () => {
      const createdFromMs = from();
      return { createdFromMs, createdBeforeMs: createdFromMs + DAY_MS };
    },
    "by user and a week": () => {
      const createdFromMs = from();
      return { user: `user${below(USERS)}@example.org`, createdFromMs, createdBeforeMs: createdFromMs + 7 * DAY_MS };
    },
    "by all at once": () => ({
      workflowId: `workflow_${below(20)}`,
      status: RunStatus.FAILED,
      labels: { env: "live" },
      createdFromMs: FIRST_MS,
      before: before(),
    }),
  };
  let worst = 0;
  console.log("".padEnd(30), "p50".padStart(10), "p95".padStart(10), "runs".padStart(8));
  for (const [filter, next] of Object.entries(filters)) {
    const { times, found } = await measure(next);
    const p95 = times[Math.floor(times.length * 0.95)] ?? Number.NaN;
    worst = Math.max(worst, p95);
    console.log(filter.padEnd(30), ms(median(times)), ms(p95), String(found).padStart(8));
  }
  console.log(`\nworst p95 ${worst.toFixed(1)} ms (goal < ${GOAL_MS} ms)`);
}

async function measure(next: () => Omit<RunFilter, "limit">): Promise<{ times: number[]; found: number }> {
  const times: number[] = [];
  let found = 0;
  for (let i = 0; i < Number(values.queries); i++) {
    const filter = { ...next(), limit: PAGE };
    const start = performance.now();
    found = (await store.listRuns(filter)).length;
    times.push(performance.now() - start);
  }
  return { times: times.sort((a, b) => a - b), found };
}

function ms(time: number): string {
  return `${time.toFixed(1)} ms`.padStart(10);
}
