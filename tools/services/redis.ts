import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { mustRun, runCommand } from "../run-command.ts";
import { installPackages } from "./debian.ts";
import { SERVICE_VARIABLES } from "./endpoints.ts";
import { freePort } from "./ports.ts";
import type { Service, ServiceEnv } from "./service.ts";

const PROGRAM = "redis-server";
const READY_MS = 15_000;

/** Redis without persistence, on a free port of 127.0.0.1, with a new random password. */
export const redis: Service = { name: "redis", install, start, running, stop };

async function install(): Promise<string> {
  if ((await runCommand(PROGRAM, ["--version"])).code !== 0) await installPackages(PROGRAM);
  return (await mustRun(PROGRAM, ["--version"])).trim();
}

async function start(folder: string): Promise<ServiceEnv> {
  const port = await freePort();
  const password = randomBytes(18).toString("base64url");
  const settings = [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${folder}`,
    `logfile ${join(folder, "log")}`,
    'save ""',
    "daemonize yes",
  ];
  const file = join(folder, "redis.conf");
  await writeFile(file, `${settings.join("\n")}\n`, { mode: 0o600 });
  await mustRun(PROGRAM, [file]);
  const env = { [SERVICE_VARIABLES.redis]: `redis://default:${password}@127.0.0.1:${port}` };
  await until(() => running(folder, env), "Redis did not answer");
  return env;
}

async function running(_folder: string, env: ServiceEnv): Promise<boolean> {
  return (await ask(env, "PING")).includes("+PONG");
}

async function stop(folder: string, env: ServiceEnv): Promise<void> {
  if (!(await running(folder, env))) return;
  // Over its own connection, so that no other process can be hit by a stale process id.
  await ask(env, "SHUTDOWN NOSAVE");
  await until(async () => !(await running(folder, env)), "Redis did not stop");
}

/** Sends one inline command after AUTH and answers the raw reply; empty when nothing listens. */
function ask(env: ServiceEnv, command: string): Promise<string> {
  const { hostname, port, password } = new URL(env[SERVICE_VARIABLES.redis] ?? "redis://127.0.0.1:1");
  return new Promise((resolve) => {
    let reply = "";
    const socket = connect({ host: hostname, port: Number(port), timeout: 2_000 });
    socket.on("connect", () => socket.write(`AUTH ${password}\r\n${command}\r\nQUIT\r\n`));
    socket.on("data", (chunk) => {
      reply += chunk.toString("latin1");
    });
    socket.on("timeout", () => socket.destroy());
    // A refused connection is an answer here: nothing listens.
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(reply));
  });
}

async function until(condition: () => Promise<boolean>, failure: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${failure} within ${READY_MS / 1000} s`);
    await delay(50);
  }
}
