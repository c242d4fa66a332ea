// Durable runs: 500 onboarding DAGs at once whose tasks do nothing, each step of them kept; ours beside its peers and beside what Postgres allows.
import { spawnSync } from "node:child_process";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import pg from "pg";
import type { DurableFigure } from "./durable-child.ts";
import { machineLine } from "./machine.ts";

const GOALS = { odg: { tasksPerSecond: 8000, p50: 8 }, "odg-module": { tasksPerSecond: 3000 } };
const FLOOR = "floor";

const { values } = parseArgs({
  options: {
    subjects: { type: "string", default: "floor,odg,odg-module,restate,dbos,floor" },
    rounds: { type: "string", default: "5" },
    lone: { type: "string", default: "100" },
  },
});
const server = process.env.ODG_TEST_POSTGRES_URL;
if (!server) {
  console.error('needs a Postgres: npm run services -- start postgres, then eval "$(npm run -s services -- env)"');
  process.exit(2);
}
const admin = new pg.Client({ connectionString: server });
await admin.connect();

/** In an empty database, which is dropped behind it. */
async function figureOf(subject: string): Promise<DurableFigure | undefined> {
  const name = `odg_bench_${process.pid}`;
  const url = new URL(server ?? "");
  url.pathname = `/${name}`;
  await admin.query(`create database ${name}`);
  try {
    const child = fileURLToPath(new URL("./durable-child.ts", import.meta.url));
    const options = ["--database", url.href, "--rounds", values.rounds, "--lone", values.lone];
    const { status, stdout } = spawnSync(process.execPath, ["--conditions=@odg/source", child, subject, ...options], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return status === 0 ? (JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as DurableFigure) : undefined;
  } finally {
    await admin.query(`drop database ${name} with (force)`);
  }
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(34) : cell.padStart(16))).join("");
}

const { rows } = await admin.query<{ fsync: string; version: string }>(
  "select current_setting('fsync') as fsync, current_setting('server_version') as version",
);
console.log(
  `${machineLine()}, load ${loadavg()[0]?.toFixed(1)}, PostgreSQL ${rows[0]?.version}, fsync ${rows[0]?.fsync}\n`,
);
console.log(row(["", "tasks/s", "one run p50", "p95", "CPU µs/task"]));
const figures = new Map<string, DurableFigure>();
for (const subject of values.subjects.split(",")) {
  const figure = await figureOf(subject);
  if (!figure) {
    console.log(row([subject, "did not run: npm ci --prefix tools/bench installs the peers"]));
    continue;
  }
  figures.set(subject, figure);
  const { tasksPerSecond, lone, cpuUs } = figure;
  console.log(
    row([
      figure.name,
      tasksPerSecond.toFixed(0),
      `${lone.p50.toFixed(1)} ms`,
      `${lone.p95.toFixed(1)} ms`,
      cpuUs.toFixed(0),
    ]),
  );
}
await admin.end();
console.log();
for (const [subject, goal] of Object.entries(GOALS)) {
  const figure = figures.get(subject);
  if (!figure) continue;
  const p50 = "p50" in goal ? `, p50 ${figure.lone.p50.toFixed(1)} ms (goal <= ${goal.p50})` : "";
  const floor = figures.get(FLOOR);
  const share = floor ? `, ${((figure.tasksPerSecond / floor.tasksPerSecond) * 100).toFixed(0)} % of the floor` : "";
  console.log(
    `${figure.name}: ${figure.tasksPerSecond.toFixed(0)} tasks/s (goal >= ${goal.tasksPerSecond})${p50}${share}`,
  );
}
