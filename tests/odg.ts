// Runs the command as its user does, in a process of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const bin = resolve(root, "node_modules/.bin");

/** What a process came to. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A process under way. */
export interface Running {
  process: ChildProcess;
  /** Resolves once standard error holds this; rejects where the process ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  ended: Promise<Ended>;
}

export interface Surroundings {
  cwd: string;
  env?: Record<string, string>;
}

/** `odg`, as npx would run it. */
export function odg(args: readonly string[], surroundings: Surroundings): Running {
  return start(resolve(bin, "odg"), args, surroundings);
}

/** The server of the engine. */
export function engineServer(surroundings: Surroundings): Running {
  const args = ["--conditions=@odg/source", resolve(root, "apps/engine/src/main.ts")];
  return start(process.execPath, args, surroundings);
}

/** The server of the gateway. */
export function gatewayServer(surroundings: Surroundings): Running {
  const args = ["--conditions=@odg/source", resolve(root, "apps/gateway/src/main.ts")];
  return start(process.execPath, args, surroundings);
}

function start(command: string, args: readonly string[], { cwd, env = {} }: Surroundings): Running {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const path = `${bin}${delimiter}${inherited.PATH}`;
  const child = spawn(command, args, {
    cwd,
    env: { ...inherited, PATH: path, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const got = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      got[name] += text;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<Ended>((resolve, refuse) => {
    child.once("error", refuse);
    child.once("close", (code) => resolve({ code, ...got }));
  });
  const said = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, refuse) => {
      const look = () => {
        const found = pattern.exec(got.stderr);
        if (found) resolve(found);
      };
      waiting.add(look);
      look();
      ended.then(() => refuse(new Error(`it ended without saying ${pattern}:\n${got.stderr}`)), refuse);
    });
  return { process: child, said, ended };
}
