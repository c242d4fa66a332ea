// What one call of an expert costs over calling its function: by Connect's router transport, by ours, and by the placement.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { create } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { action } from "@odg/expert-plugin-api";
import { ExecuteRequestSchema, ExpertService, HostService } from "@odg/proto/odg/expert/v1/expert_pb";
import { inProcessTransport, memoryClient } from "@odg/rpc";
import * as z from "zod";
import { Experts } from "../../../apps/engine/src/expert/experts.ts";
import { HostGate } from "../../../apps/engine/src/expert/host-service.ts";
import { ExpertRegistry } from "../../../apps/engine/src/expert/registry.ts";
import { createLogger } from "../../../apps/engine/src/logger.ts";
import { MemoryStore } from "../../../apps/engine/src/store/memory.ts";
import echo from "../echo-expert/index.ts";
import { machineLine, median } from "./machine.ts";
import { type PlacementName, placeEcho } from "./place-echo.ts";

const GOAL_US = 60;
const CALLS_PER_ROUND = 200;
const ROUNDS = 15;

const { values } = parseArgs({ options: { only: { type: "string" } } });
const input = { text: "the quick brown fox", numbers: [1, 2, 3] };
const request = create(ExecuteRequestSchema, { runId: "r", taskId: "t", attempt: 1, action: "echo", input });
const host = inProcessTransport((router) => router.service(HostService, { getContext: () => ({ entries: [] }) }));
const logger = createLogger("silent");
const opened: { close(): unknown }[] = [];

/** A client as the engine's dispatcher holds it. */
async function clientBy(placement: PlacementName): Promise<Client<typeof ExpertService>> {
  const placed = await placeEcho(placement);
  const registry = new ExpertRegistry(new MemoryStore());
  const experts = new Experts({ host: new HostGate(), registry, logger });
  await experts.place([placed.entry]);
  opened.push(registry, experts, placed);
  const instance = registry.list()[0]?.instances[0];
  if (!instance) throw new Error(`no expert by placement ${placement}`);
  return instance.client;
}

const byModule = await clientBy("module");
const byProcess = await clientBy("process");
const byRemote = await clientBy("remote");
const shape = z.object({ text: z.string(), numbers: z.array(z.number()) });
const direct = action({ capability: "echoing", input: shape, output: shape, execute: async (given) => given });

async function execute(client: Pick<Client<typeof ExpertService>, "execute">): Promise<void> {
  let last: string | undefined;
  for await (const { message } of client.execute(request)) last = message.case;
  if (last !== "result") throw new Error("the call ended without a result");
}

const routes = echo.routes({ host });
const router = createClient(ExpertService, createRouterTransport(routes));
const memory = memoryClient(ExpertService, routes);
const hostByRouter = createClient(
  HostService,
  createRouterTransport((r) => r.service(HostService, { getContext: () => ({ entries: [] }) })),
);
const hostByMemory = createClient(HostService, host);

const subjects: Record<string, () => Promise<unknown>> = {
  "direct call": () => direct.execute(input, undefined as never),
  "Connect's router transport": () => execute(router),
  "memory client": () => execute(memory),
  "placement module": () => execute(byModule),
  "placement process": () => execute(byProcess),
  "placement remote": () => execute(byRemote),
  "HostService: bare router transport": () => hostByRouter.getContext({}),
  "HostService: as the engine serves it": () => hostByMemory.getContext({}),
};

interface Figure {
  wall: number;
  cpu: number;
}

async function round(call: () => Promise<unknown>): Promise<Figure> {
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  for (let i = 0; i < CALLS_PER_ROUND; i++) await call();
  const wall = ((performance.now() - start) * 1000) / CALLS_PER_ROUND;
  const { user, system } = process.threadCpuUsage(cpu);
  return { wall, cpu: (user + system) / CALLS_PER_ROUND };
}

console.log(`${machineLine()}, load ${loadavg()[0]?.toFixed(1)}`);
console.log(
  `µs per call, median of ${ROUNDS} rounds of ${CALLS_PER_ROUND} (in brackets: processor time), taking turns\n`,
);
const names = Object.keys(subjects).filter((name) => !values.only || name.includes(values.only));
const figures = new Map<string, Figure[]>(names.map((name) => [name, []]));
for (let i = -3; i < ROUNDS; i++) {
  for (const name of names) {
    const figure = await round(subjects[name] as () => Promise<unknown>);
    if (i >= 0) figures.get(name)?.push(figure);
  }
}
for (const [name, rounds] of figures) {
  const wall = median(rounds.map((one) => one.wall));
  console.log(`${name.padEnd(40)} ${wall.toFixed(1).padStart(8)} (${median(rounds.map((one) => one.cpu)).toFixed(1)})`);
}
console.log(`\ngoal: an expert call by placement module at most ${GOAL_US} µs over a direct call`);
for (const one of opened) await one.close();
