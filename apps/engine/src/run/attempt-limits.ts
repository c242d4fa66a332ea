import type { Duration } from "@bufbuild/protobuf/wkt";
import type { Permissions } from "@odg/expert-plugin-api";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";

/** Longest time of one attempt where the task names none. */
export const DEFAULT_TIMEOUT_MS = 600_000;

interface Limit {
  ms: number;
  /** Where the limit stands. */
  subject: string;
  message: string;
}

/** What limits work on an attempt. */
export interface Limited {
  task: Task;
  /** Aborted when a limit is exceeded. */
  stop: AbortController;
  /** What the expert's package may take; absent for a run of its own, which ends when it ends. */
  permissions?: Permissions;
}

/** How long one attempt may take, and how long it may say nothing. Times are monotonic. */
export class AttemptLimits {
  #stop: AbortController;
  #timers: NodeJS.Timeout[] = [];
  #silence: NodeJS.Timeout | undefined;
  #exceeded: Limit | undefined;

  constructor({ task, stop, permissions }: Limited) {
    this.#stop = stop;
    const wanted = msOf(task.timeout) ?? (permissions ? DEFAULT_TIMEOUT_MS : Number.POSITIVE_INFINITY);
    const permitted = permissions ? permissions.time_s * 1000 : Number.POSITIVE_INFINITY;
    const ms = Math.min(wanted, permitted);
    if (Number.isFinite(ms)) {
      const subject = permitted < wanted ? "odg.permissions.time_s" : `tasks.${task.id}.timeout`;
      this.#start({ ms, subject, message: `did not end within ${ms / 1000} s` });
    }
    const idle = permissions && msOf(task.idleTimeout);
    if (idle === undefined) return;
    const subject = `tasks.${task.id}.idle_timeout`;
    this.#silence = this.#start({ ms: idle, subject, message: `said nothing for ${idle / 1000} s` });
  }

  /** The expert showed that it is at work. */
  heard(): void {
    this.#silence?.refresh();
  }

  /** The error of the limit that was exceeded; nothing where none was. */
  error(who: string, cause: unknown) {
    if (!this.#exceeded) return undefined;
    const { message, subject } = this.#exceeded;
    return reject(Reason.DEADLINE_EXCEEDED, { message: `${who} ${message}`, subject, cause });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #start(limit: Limit): NodeJS.Timeout {
    const timer = setTimeout(() => {
      if (this.#stop.signal.aborted) return;
      this.#exceeded = limit;
      this.#stop.abort();
    }, limit.ms);
    // The expert's own connection keeps the process alive, if anything has to.
    timer.unref();
    this.#timers.push(timer);
    return timer;
  }
}

/** Milliseconds of a duration; nothing where there is none. */
export function msOf(duration: Duration | undefined): number | undefined {
  return duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
