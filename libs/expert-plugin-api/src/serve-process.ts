/**
 * Entry of the process that an engine starts for an expert: `serve-process <URL of its module> <URL of the host> <socket path>`.
 * Standard output carries the handshake and nothing else; the process ends when its standard input closes.
 */
import { Worker } from "node:worker_threads";
import type { Expert } from "./expert.ts";
import { handshakeLine } from "./protocol.ts";
import { type ExpertServer, serveExpert } from "./serve.ts";

const DRAIN_MS = 10_000;

const say = process.stdout.write.bind(process.stdout);
// From here on, whatever the expert prints is for its log.
process.stdout.write = process.stderr.write.bind(process.stderr);

let server: ExpertServer | undefined;
watchParent();

try {
  const [entry = "", host = "", socketPath = ""] = process.argv.slice(2);
  const loaded: { default?: Partial<Expert> } = await import(entry);
  // Its own copy of the API may have made it: only the shape counts, never instanceof.
  if (typeof loaded.default?.routes !== "function")
    throw new TypeError("the module has no expert as its default export");
  server = await serveExpert(loaded.default as Expert, { host, socketPath, drainMs: DRAIN_MS });
  process.once("SIGTERM", () => void end(0));
  say(`${handshakeLine(socketPath)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  await end(1);
}

/** Whatever timers and sockets the expert still holds, its process ends. */
async function end(code: number): Promise<void> {
  await server?.close();
  process.exit(code);
}

/** In a thread of its own, so that an expert that keeps this one busy goes as well. */
function watchParent(): void {
  const path = `./parent-watch${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`;
  const watch = new Worker(new URL(path, import.meta.url), { stdin: false });
  watch.unref();
  watch.once("message", () => process.exit(0));
}
