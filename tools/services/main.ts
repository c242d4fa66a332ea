/** `npm run services -- install|start|stop|status|env [name…]`: the real servers that tests use. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { servicesNamed } from "./catalogue.ts";
import type { Service } from "./service.ts";
import { readState, type State, writeState } from "./state.ts";

const VERBS: Record<string, (service: Service, state: State) => Promise<void>> = { install, start, stop, status, env };
const USAGE =
  "usage: npm run services -- install|start|stop|status|env [postgres] [redis] [chromium] [grpcurl] [python]";

async function install(service: Service): Promise<void> {
  console.log(`${service.name}: ${await service.install()}`);
}

async function start(service: Service, state: State): Promise<void> {
  const before = state[service.name];
  if (before && (await service.running(before.folder, before.env))) {
    console.log(`${service.name}: already running`);
    return;
  }
  if (before) await rm(before.folder, { recursive: true, force: true });
  // Not below the repository: a server that may not run as root has to be able to enter the folder.
  const folder = await mkdtemp(join(tmpdir(), `odg-${service.name}-`));
  try {
    state[service.name] = { folder, env: await service.start(folder) };
  } catch (error) {
    await service.stop(folder, {});
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await writeState(state);
  console.log(`${service.name}: ready; npm test finds it by itself`);
}

async function stop(service: Service, state: State): Promise<void> {
  const started = state[service.name];
  if (!started) return;
  await service.stop(started.folder, started.env);
  await rm(started.folder, { recursive: true, force: true });
  delete state[service.name];
  await writeState(state);
  console.log(`${service.name}: stopped`);
}

async function status(service: Service, state: State): Promise<void> {
  const started = state[service.name];
  const up = started !== undefined && (await service.running(started.folder, started.env));
  console.log(`${service.name}: ${up ? "ready" : started ? "ended by itself" : "not started"}`);
}

/** The one verb that shows passwords, because its output is made for `eval "$(…)"`. */
async function env(service: Service, state: State): Promise<void> {
  for (const [key, value] of Object.entries(state[service.name]?.env ?? {})) console.log(`export ${key}='${value}'`);
}

async function main([verb = "", ...names]: readonly string[]): Promise<number> {
  const perform = VERBS[verb];
  if (!perform) {
    console.error(USAGE);
    return 2;
  }
  const state = await readState();
  let failed = 0;
  for (const service of servicesNamed(names)) {
    try {
      await perform(service, state);
    } catch (error) {
      failed++;
      console.error(`${service.name}: ${verb} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
