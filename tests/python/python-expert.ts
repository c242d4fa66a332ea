import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { mustRun } from "../../tools/run-command.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const EXAMPLE = join(ROOT, "examples/python-expert");
const START_MS = 20_000;

/** The example in a folder of its own outside of the repository, with what it generates from the .proto files. */
export interface PythonExample {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Copies the example and generates its code, by the commands of its README. */
export async function preparedExample(python: string): Promise<PythonExample> {
  const folder = await mkdtemp(join(tmpdir(), "odg-python-"));
  const made = /(^|\/)(generated|__pycache__|\.venv)$/;
  await cp(EXAMPLE, folder, { recursive: true, filter: (source) => !made.test(source) });
  await mustRun(python, ["generate.py", ROOT], { cwd: folder });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A Python expert that listens. */
export interface PythonServer {
  /** `127.0.0.1:50061`. */
  readonly address: string;
  readonly process: ChildProcess;
  /** All that it wrote to standard error. */
  readonly log: () => string;
  /** Ends it as an operator does, by SIGTERM; answers its exit code. */
  stop(): Promise<number | null>;
}

/** @throws Error with what it wrote, where it does not listen in time. */
export async function startPython(
  python: string,
  folder: string,
  options: { host: string; token: string; listen?: string },
): Promise<PythonServer> {
  const args = ["main.py", "--listen", options.listen ?? "127.0.0.1:0", "--host", options.host];
  const env = { PATH: process.env.PATH, ODG_REMOTE_TOKEN: options.token };
  const child = spawn(python, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString("utf8");
  });
  const closed = once(child, "close");
  // A test process that ends without its clean-up leaves no server behind.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  const said = once(createInterface(child.stdout), "line", { signal: AbortSignal.timeout(START_MS) });
  const [line] = (await Promise.race([said, closed.then(() => [])]).catch(() => [])) as string[];
  const address = /listens on (\S+)$/.exec(line ?? "")?.[1];
  if (!address) {
    child.kill("SIGKILL");
    throw new Error(`the Python expert does not listen:\n${log}`);
  }
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await closed;
    return child.exitCode;
  };
  return { address, process: child, log: () => log, stop };
}
