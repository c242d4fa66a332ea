import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun, type Outcome, runCommand } from "../run-command.ts";
import { installPackages, isRoot } from "./debian.ts";
import { SERVICE_VARIABLES } from "./endpoints.ts";
import { freePort } from "./ports.ts";
import type { Service, ServiceEnv } from "./service.ts";

/** The major version of Debian 12; another one is used where it is what `pg_ctl` on the PATH belongs to. */
const MAJOR = "15";
const DEBIAN_FOLDER = `/usr/lib/postgresql/${MAJOR}/bin`;
const USER = "odg";
const DATABASE = "odg_test";

/** PostgreSQL with fsync on, on a free port of 127.0.0.1, with a new random password and an empty database. */
export const postgres: Service = { name: "postgres", install, start, running, stop };

async function install(): Promise<string> {
  if (!(await binFolder())) await installPackages(`postgresql-${MAJOR}`);
  const bin = await requireBin();
  return (await mustRun(join(bin, "postgres"), ["--version"])).trim();
}

async function start(folder: string): Promise<ServiceEnv> {
  const bin = await requireBin();
  const password = randomBytes(18).toString("base64url");
  const port = await freePort();
  const data = join(folder, "data");
  await chmod(folder, 0o700);
  await mkdir(data, { mode: 0o700 });
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (isRoot) await mustRun("chown", ["-R", "postgres:", folder]);

  const cluster = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"];
  must(await asServer(join(bin, "initdb"), ["-D", data, "-U", USER, `--pwfile=${passwordFile}`, ...cluster]), "initdb");
  await rm(passwordFile);
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=on -c max_connections=200`;
  const control = ["-D", data, "-l", join(folder, "log"), "-w", "-t", "60", "-o", settings, "start"];
  must(await asServer(join(bin, "pg_ctl"), control), "pg_ctl start");

  const server = `postgres://${USER}:${password}@127.0.0.1:${port}`;
  await createDatabase(bin, `${server}/postgres`);
  return { [SERVICE_VARIABLES.postgres]: `${server}/${DATABASE}` };
}

async function running(folder: string): Promise<boolean> {
  const bin = await binFolder();
  if (!bin || !existsSync(folder)) return false;
  return (await asServer(join(bin, "pg_ctl"), ["-D", join(folder, "data"), "status"])).code === 0;
}

async function stop(folder: string): Promise<void> {
  if (!(await running(folder))) return;
  const bin = await requireBin();
  must(await asServer(join(bin, "pg_ctl"), ["-D", join(folder, "data"), "-m", "fast", "-w", "stop"]), "pg_ctl stop");
}

/** Ends a server that `start` began as if the machine had lost its power. */
export async function crash(folder: string): Promise<void> {
  const bin = await requireBin();
  must(
    await asServer(join(bin, "pg_ctl"), ["-D", join(folder, "data"), "-m", "immediate", "-w", "stop"]),
    "pg_ctl stop",
  );
}

/** Starts such a server again, at its port and with its settings. */
export async function restart(folder: string): Promise<void> {
  const bin = await requireBin();
  const control = ["-D", join(folder, "data"), "-l", join(folder, "log"), "-w", "-t", "60", "restart"];
  must(await asServer(join(bin, "pg_ctl"), control), "pg_ctl restart");
}

async function createDatabase(bin: string, url: string): Promise<void> {
  // By the environment, since arguments can be read by every user of the machine.
  const { hostname, port, username, password } = new URL(url);
  const env = { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password };
  await mustRun(join(bin, "createdb"), ["--maintenance-db=postgres", DATABASE], { env });
}

/** PostgreSQL refuses to run as root, so there it runs as the user that its package made. */
function asServer(command: string, args: readonly string[]): Promise<Outcome> {
  const options = { cwd: "/", timeoutMs: 90_000 };
  if (!isRoot) return runCommand(command, args, options);
  return runCommand("runuser", ["-u", "postgres", "--", command, ...args], options);
}

function must(outcome: Outcome, what: string): void {
  if (outcome.code !== 0) throw new Error(`PostgreSQL: ${what} failed:\n${outcome.output.trim()}`);
}

async function binFolder(): Promise<string | undefined> {
  if (existsSync(join(DEBIAN_FOLDER, "pg_ctl"))) return DEBIAN_FOLDER;
  const { code, output } = await runCommand("pg_config", ["--bindir"]);
  const folder = output.trim();
  return code === 0 && existsSync(join(folder, "pg_ctl")) ? folder : undefined;
}

async function requireBin(): Promise<string> {
  const bin = await binFolder();
  if (!bin) throw new Error("PostgreSQL is not installed; run `npm run services -- install postgres`");
  return bin;
}
