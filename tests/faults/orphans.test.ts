// F20: a process of an expert ends with its engine, however that ends.
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@odg/client";
import { workflowOf } from "@odg/engine/testing";
import { connectTransport } from "@odg/rpc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { engineServer, type Running } from "../odg.ts";
import { faulty } from "./engine.ts";

let engine: Running;
let url: string;
let experts: number[];

beforeEach(async () => {
  const cwd = mkdtempSync(join(tmpdir(), "odg-orphans-"));
  const env = {
    ODG_EXPERTS: `${faulty("spin")}*2`,
    ODG_PORT: "0",
    ODG_HTTP_PORT: "0",
    ODG_STORE_DIR: join(cwd, "store"),
  };
  engine = engineServer({ cwd, env });
  const [, found = ""] = await engine.said(/"grpc":"([^"]+)"/);
  url = found;
  experts = childrenOf(engine.process.pid);
});

afterEach(() => {
  if (engine.process.exitCode === null) engine.process.kill("SIGKILL");
});

/** Processes whose parent is this one, by what Linux says (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). */
function childrenOf(parent = 0): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid)?.parent === parent);
}

function statOf(pid: number): { state: string; parent: number; group: number } | undefined {
  try {
    const [state = "", parent, group] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { state, parent: Number(parent), group: Number(group) };
  } catch {
    return undefined; // It has ended.
  }
}

const living = () => experts.filter((pid) => !["Z", "X", undefined].includes(statOf(pid)?.state));

async function spin(): Promise<void> {
  const transport = connectTransport(url);
  const client = createClient({ transport });
  const workflow = workflowOf([{ id: "spin", expert: "SpinExpert", action: "spin" }]);
  await client.runs.startRun({ source: { case: "workflow", value: workflow } });
  await sleep(500);
  transport.close();
}

describe.skipIf(process.platform !== "linux")("the processes of experts", () => {
  test("end when their engine is killed, even where one of them spins", async () => {
    expect(experts).toHaveLength(2);
    await spin();
    expect(living()).toHaveLength(2);
    engine.process.kill("SIGKILL");
    await expect.poll(living, { timeout: 5_000 }).toEqual([]);
  });

  test("end when their engine stops in order", async () => {
    engine.process.kill("SIGTERM");
    expect((await engine.ended).code).toBe(0);
    expect(living()).toEqual([]);
  });

  test("lead a process group each, so that what they have started ends with them", () => {
    expect(experts.map((pid) => statOf(pid)?.group)).toEqual(experts);
  });
});
