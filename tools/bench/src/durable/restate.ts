// Restate: a service whose handler walks the DAG, each task by ctx.run; its server beside it, on this machine, with its defaults.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as restate from "@restatedev/restate-sdk";
import * as clients from "@restatedev/restate-sdk-clients";
import type { BenchTask } from "../dags.ts";
import type { DurableSubject } from "./subject.ts";

const READY_MS = 30_000;
const platform = `${process.platform}-${process.arch}`;
const binary = fileURLToPath(
  new URL(`../../node_modules/@restatedev/restate-server-${platform}/bin/restate-server`, import.meta.url),
);

/** A DAG replays rightly only as one race over all that is under way. */
function serviceOf(tasks: readonly BenchTask[]) {
  const run = async (ctx: restate.Context): Promise<void> => {
    const ended = new Set<string>();
    const underWay = new Map<string, restate.RestatePromise<string>>();
    while (ended.size < tasks.length) {
      for (const { id, dependsOn } of tasks) {
        if (ended.has(id) || underWay.has(id) || !dependsOn.every((one) => ended.has(one))) continue;
        underWay.set(
          id,
          ctx.run(id, () => id),
        );
      }
      const id = await restate.RestatePromise.race([...underWay.values()]);
      underWay.delete(id);
      ended.add(id);
    }
  };
  return restate.service({ name: "onboarding", handlers: { run } });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Asks until it answers. */
async function answered(url: string, init?: RequestInit): Promise<void> {
  for (const start = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    try {
      const response = await fetch(url, init);
      if (response.ok) return;
    } catch (error) {
      if (performance.now() - start > READY_MS) throw error;
    }
    if (performance.now() - start > READY_MS) throw new Error(`${url} did not answer in time`);
  }
}

export default {
  name: "Restate ctx.run",
  async prepare({ tasks }) {
    if (!existsSync(binary)) throw new Error(`no Restate server for ${platform}`);
    const service = serviceOf(tasks);
    const [ingress, admin, node, own] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const folder = mkdtempSync(join(tmpdir(), "odg-bench-restate-"));
    const server = spawn(binary, ["--no-logo", "--listen-mode", "tcp", "--base-dir", folder], {
      stdio: "ignore",
      env: {
        ...process.env,
        RESTATE_DISABLE_TELEMETRY: "true",
        RESTATE_BIND_IP: "127.0.0.1",
        RESTATE_BIND_PORT: String(node),
        RESTATE_INGRESS__BIND_PORT: String(ingress),
        RESTATE_ADMIN__BIND_PORT: String(admin),
        RESTATE_LOG_FILTER: "error",
      },
    });
    const gone = once(server, "exit");
    await restate.serve({ services: [service], port: own });
    await answered(`http://127.0.0.1:${admin}/health`);
    await answered(`http://127.0.0.1:${admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: `http://127.0.0.1:${own}` }),
    });
    const client = clients.connect({ url: `http://127.0.0.1:${ingress}` }).serviceClient(service);
    return {
      run: async () => client.run(),
      close: async () => {
        server.kill();
        await gone;
        rmSync(folder, { recursive: true, force: true });
        // The endpoint of the SDK offers no way to be closed.
        setImmediate(() => process.exit());
      },
    };
  },
} satisfies DurableSubject;
