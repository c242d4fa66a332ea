import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { isMainThread } from "node:worker_threads";

/**
 * How much what computes for an expert stands back behind the engine's event loop, as nice(1) counts: a tenth of its share where both
 * want one core. With as many spinning experts as cores it halved the lag of the loop (`npm run bench -- lag`); where a core is free
 * it costs nothing.
 */
const NICE = 10;

/** Lets a process that the engine has just started stand back. */
export function lowerProcess(pid: number): void {
  try {
    setPriority(pid, NICE);
    // A session of its own is a group of its own to Linux's scheduler, where its nice value counts for nothing beyond the group:
    // https://man7.org/linux/man-pages/man7/sched.7.html, "The autogroup feature".
    if (process.platform === "linux") writeFileSync(`/proc/${pid}/autogroup`, String(NICE));
  } catch (error) {
    if (!isHarmless(error)) throw error;
  }
}

/** Lets the calling worker thread stand back; nothing where a thread has no priority of its own. */
export function lowerThread(): void {
  // Linux alone takes the caller's thread for the process 0: https://man7.org/linux/man-pages/man2/setpriority.2.html
  if (process.platform !== "linux" || isMainThread) return;
  try {
    setPriority(0, NICE);
  } catch (error) {
    if (!isHarmless(error)) throw error;
  }
}

/** It has ended already, there is no such group, or a container forbids it: it works all the same. */
function isHarmless(error: unknown): boolean {
  const codes = ["ESRCH", "ENOENT", "EACCES", "EPERM", "EROFS", "EAGAIN", "EINVAL"];
  const { code, info } = error as NodeJS.ErrnoException & { info?: { code?: string } };
  return codes.includes(code ?? "") || codes.includes(info?.code ?? "");
}
