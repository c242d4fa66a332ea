import { spawn } from "node:child_process";

/** How a command ended: its exit code (127 when it could not be started) and all it wrote, in order. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string | undefined>;
  /** Milliseconds after which the command is killed and counts as failed. */
  readonly timeoutMs?: number;
}

/** Runs a command without a shell and without stdin. It never throws: what went wrong is in the outcome. */
export function runCommand(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      timeout: options.timeoutMs,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => resolve({ code: 127, output: `${command}: ${error.message}` }));
    child.on("close", (code, signal) => {
      const output = Buffer.concat(chunks).toString("utf8");
      resolve(signal ? { code: 1, output: `${output}\n${command}: ended by ${signal}` } : { code: code ?? 1, output });
    });
  });
}

/** Runs a command that has to succeed and answers its output; throws with the end of the output otherwise. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await runCommand(command, args, options);
  if (code === 0) return output;
  const tail = output.trim().split("\n").slice(-15).join("\n");
  throw new Error(`\`${[command, ...args].join(" ")}\` failed with exit code ${code}:\n${tail}`);
}
