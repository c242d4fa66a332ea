// A thread that ends the process when whoever started it is gone: then the other end of standard input is closed.
import { Socket } from "node:net";
import { parentPort } from "node:worker_threads";

/** The main thread may end the process in this time; if it does not, it is stuck. */
const GRACE_MS = 1_000;

new Socket({ fd: 0, readable: true, writable: false })
  .once("close", () => {
    parentPort?.postMessage("gone");
    setTimeout(killAll, GRACE_MS);
  })
  // Broken is closed, too: "close" follows.
  .on("error", () => undefined)
  .resume();

function killAll(): void {
  try {
    // The process group, where this process leads one: what the expert has started goes with it.
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.kill(process.pid, "SIGKILL");
  }
}
