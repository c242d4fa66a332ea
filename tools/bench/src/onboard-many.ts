// Many onboarding runs of a small file at once, on one engine in a process of its own, with its real experts and a store on disk.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createClient, type OdgClient } from "@odg/client";
import { type Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import pg from "pg";
import { machineLine } from "./machine.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const node = ["--conditions=@odg/source"];
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    rows: { type: "string", default: "1000" },
    store: { type: "string", default: process.env.ODG_TEST_POSTGRES_URL ? "postgres" : "embedded" },
  },
});

interface Outcome {
  status: RunStatus;
  seconds: number;
  why: string;
}

interface Served {
  process: ChildProcess;
  url: string;
}

/** A file of generated customer transactions. */
function smallFile(folder: string): string {
  const made = spawnSync(
    process.execPath,
    [...node, `${root}/tools/lake/generate.ts`, "--rows", values.rows, "--out", folder],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (made.status !== 0) throw new Error("the file could not be generated");
  return join(folder, "customer_transactions.parquet");
}

/** A database of its own on that server; `remove` takes it away. */
async function newDatabase(serverUrl: string): Promise<{ url: string; remove(): Promise<void> }> {
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  const name = `odg_onboard_many_${process.pid}`;
  await admin.query(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const remove = async () => {
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  };
  return { url: url.href, remove };
}

async function serve(folder: string, databaseUrl: string): Promise<Served> {
  const env = {
    ...process.env,
    ODG_PORT: "0",
    ODG_HTTP_PORT: "0",
    ODG_DATA_ROOTS: folder,
    ODG_STORE_DIR: join(folder, "store"),
    ODG_DATABASE_URL: databaseUrl,
  };
  const server = spawn(process.execPath, [...node, `${root}/apps/engine/src/main.ts`], {
    env,
    stdio: ["ignore", "inherit", "pipe"],
  });
  let said = "";
  const url = await new Promise<string>((resolve, refuse) => {
    server.stderr?.on("data", (chunk: Buffer) => {
      if (said.length < 100_000) said += chunk.toString();
      const [, found] = /"grpc":"([^"]+)"/.exec(said) ?? [];
      if (found) resolve(found);
    });
    server.once("exit", (code) => refuse(new Error(`the engine ended with ${code}: ${said}`)));
  });
  return { process: server, url };
}

async function onboard(client: OdgClient, dataset: string): Promise<Outcome> {
  const began = performance.now();
  const source = { case: "workflowId" as const, value: "onboard_dataset" };
  try {
    const run = await client.runAndWait({ source, inputs: { dataset } }, { silenceMs: 600_000 });
    return { status: run.status, seconds: (performance.now() - began) / 1000, why: whyOf(run) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { status: RunStatus.UNSPECIFIED, seconds: (performance.now() - began) / 1000, why };
  }
}

function whyOf({ failure }: Run): string {
  return failure?.message ?? "";
}

function peakOf({ pid }: ChildProcess): number {
  return (Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024) / 1e6;
}

/** Processor time that the process has had, in seconds: fields 14 and 15 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html. */
function processorSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

interface Cost {
  seconds: number;
  processorSeconds: number;
  megabytes: number;
}

function show(outcomes: readonly Outcome[], { seconds, processorSeconds, megabytes }: Cost): number {
  const well = outcomes.filter(({ status }) => status === RunStatus.SUCCEEDED);
  const times = well.map((one) => one.seconds).sort((a, b) => a - b);
  const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0).toFixed(1);
  console.log(`${well.length} of ${outcomes.length} runs succeeded in ${seconds.toFixed(1)} s`);
  console.log(`${(well.length / seconds).toFixed(1)} runs/s, ${((well.length * 6) / seconds).toFixed(0)} tasks/s`);
  console.log(`a run took p50 ${at(0.5)} s, p95 ${at(0.95)} s, all begun at once`);
  const each = (processorSeconds / outcomes.length) * 1000;
  console.log(`engine: ${megabytes.toFixed(0)} MB peak, ${each.toFixed(0)} ms of processor time a run`);
  const reasons = new Map<string, number>();
  for (const { status, why } of outcomes)
    if (status !== RunStatus.SUCCEEDED) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  for (const [why, count] of reasons) console.log(`  ${count} × ${why}`);
  return well.length === outcomes.length ? 0 : 1;
}

const folder = mkdtempSync(join(tmpdir(), "odg-onboard-many-"));
const dataset = smallFile(folder);
const database = values.store === "postgres" ? await newDatabase(process.env.ODG_TEST_POSTGRES_URL ?? "") : undefined;
const served = await serve(folder, database?.url ?? "");
const client = createClient({ url: served.url });
console.log(machineLine());
console.log(`${values.runs} onboarding runs at once, ${values.rows} rows × 15 columns, ${values.store} store`);
await onboard(client, dataset);
const [began, worked] = [performance.now(), processorSeconds(served.process)];
const outcomes = await Promise.all(Array.from({ length: Number(values.runs) }, () => onboard(client, dataset)));
process.exitCode = show(outcomes, {
  seconds: (performance.now() - began) / 1000,
  processorSeconds: processorSeconds(served.process) - worked,
  megabytes: peakOf(served.process),
});
client.close();
served.process.kill("SIGTERM");
await once(served.process, "exit");
await database?.remove();
rmSync(folder, { recursive: true, force: true });
