// How far a cancellation reaches: an HTTP call of an expert, or of its worker, ends with it, wherever the expert is placed.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Expert } from "@odg/expert-plugin-api";
import { serveExpert } from "@odg/expert-plugin-api/serve";
import { afterEach, describe, expect, it } from "vitest";
import { type EngineUnderTest, startEngine, workflowOf } from "../testing/index.ts";

const CALLER = resolve(import.meta.dirname, "../testing/caller-expert");
/** The requirement; the way itself takes some milliseconds. */
const REACH_MS = 1000;

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** A server that never answers, and sees who comes and goes. */
async function deafServer() {
  const come = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const server = createServer((request) => {
    come.resolve();
    request.socket.once("close", () => gone.resolve());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push({
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, come: come.promise, gone: gone.promise };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const PLACEMENTS: Record<string, () => Promise<EngineUnderTest>> = {
  module: () => startEngine({ experts: [CALLER] }),
  process: () => startEngine({ experts: [`process:${CALLER}`] }),
  remote: async () => {
    const [port, hostPort] = [await freePort(), await freePort()];
    const { default: expert }: { default: Expert } = await import(pathToFileURL(join(CALLER, "index.ts")).href);
    opened.push(await serveExpert(expert, { host: `http://127.0.0.1:${hostPort}`, port }));
    return startEngine({
      experts: [`remote:dns:///127.0.0.1:${port}`],
      hostListen: { host: "127.0.0.1", port: hostPort },
    });
  },
};

describe.each(Object.keys(PLACEMENTS))("a cancellation reaches an expert placed as %s", (placement) => {
  it.each(["call", "call_offloaded"])("in its action %s", { timeout: 60_000 }, async (action) => {
    const engine = await PLACEMENTS[placement]!();
    opened.push(engine);
    for (let found = 0; found === 0; ) found = (await engine.experts.listExperts({})).experts.length;
    const { port, come, gone } = await deafServer();
    const tasks = [{ id: "held", expert: "CallerExpert", action, inputs: { port, path: action } }];
    const { run } = await engine.runs.startRun({ source: { case: "workflow", value: workflowOf(tasks) } });
    await come;
    const began = performance.now();
    await engine.runs.cancelRun({ runId: run?.runId ?? "" });
    await gone;
    const took = performance.now() - began;
    expect(took).toBeLessThan(REACH_MS);
  });
});
