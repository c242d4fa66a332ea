import { create } from "@bufbuild/protobuf";
import { TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type ItemsState, ItemsStateSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { CancelTaskCommand, Command, DispatchCommand, WithdrawCommand } from "./command.ts";
import { type Wait, waitsFromProto, waitsToProto } from "./wait.ts";

/** Most items of a task. */
export const MAX_ITEMS = 10_000;

/** Items at work at once where the task names no limit. */
export const DEFAULT_MAX_CONCURRENCY = 10;

/** Which task the items belong to, and how many there are. */
export interface ItemsOf {
  task: number;
  priority: number;
  total: number;
  /** At work at once; 0 for {@link DEFAULT_MAX_CONCURRENCY}. */
  limit: number;
}

/** How the items of a task stand, in numbers. */
export interface ItemNumbers {
  readonly total: number;
  /** Dispatched and not ended. */
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
}

/**
 * The items of one task: which are at work, which come next. Items are numbered from 1 and dispatched in order, each with attempts and
 * waits of its own. After the first that fails for good no other begins; those that have begun go on to their end.
 */
export class TaskItems implements ItemNumbers {
  readonly total: number;
  #task: number;
  #priority: number;
  #limit: number;
  #status: Uint8Array;
  #attempt: Uint16Array;
  #waits: Map<number, Wait> | undefined;
  /** The first that was never dispatched. */
  #next = 1;
  #active = 0;
  #succeeded = 0;
  #failed = 0;
  #firstFailed = 0;

  constructor({ task, priority, total, limit }: ItemsOf) {
    this.total = total;
    this.#task = task;
    this.#priority = priority;
    this.#limit = limit === 0 ? DEFAULT_MAX_CONCURRENCY : limit;
    this.#status = new Uint8Array(total).fill(TaskStatus.PENDING);
    this.#attempt = new Uint16Array(total);
  }

  get active(): number {
    return this.#active;
  }

  get succeeded(): number {
    return this.#succeeded;
  }

  get failed(): number {
    return this.#failed;
  }

  /** The item that failed first, from 1; 0 where none did. */
  get firstFailed(): number {
    return this.#firstFailed;
  }

  /** Whether nothing is at work, and nothing will be. */
  get settled(): boolean {
    return this.#active === 0 && (this.#failed > 0 || this.#succeeded === this.total);
  }

  /** How far an item is; UNSPECIFIED where there is no such item. */
  status(item: number): TaskStatus {
    return this.#status[item - 1] ?? TaskStatus.UNSPECIFIED;
  }

  /** Newest attempt of an item; 0 where it was not dispatched. */
  attempt(item: number): number {
    return this.#attempt[item - 1] ?? 0;
  }

  /** Dispatches of the next items, as many as may be at work. */
  fill(): Command[] {
    const commands: Command[] = [];
    while (this.#active < this.#limit && this.#next <= this.total && this.#failed === 0) {
      this.#active++;
      commands.push(this.#ready(this.#next++));
    }
    return commands;
  }

  /** An attempt began. False where that cannot be. */
  started(item: number, attempt: number): boolean {
    if (this.status(item) !== TaskStatus.READY || this.attempt(item) !== attempt) return false;
    this.#status[item - 1] = TaskStatus.RUNNING;
    return true;
  }

  /** An item ended well. */
  completed(item: number): void {
    this.#active--;
    this.#succeeded++;
    this.#status[item - 1] = TaskStatus.SUCCEEDED;
  }

  /** An item failed for good. */
  fail(item: number): void {
    this.#active--;
    this.#failed++;
    this.#firstFailed ||= item;
    this.#status[item - 1] = TaskStatus.FAILED;
  }

  /** An item failed, and is to be tried again. */
  retry(item: number, wait: Wait): Command {
    this.#status[item - 1] = TaskStatus.WAITING_RETRY;
    this.#waits ??= new Map();
    this.#waits.set(item, wait);
    return this.#scheduleRetry(item);
  }

  /** The wait of an item is over. The dispatch of its next attempt; undefined where it does not wait. */
  due(item: number): DispatchCommand | undefined {
    if (this.status(item) !== TaskStatus.WAITING_RETRY) return undefined;
    this.#waits?.delete(item);
    return this.#ready(item);
  }

  /** What is in flight: dispatches of what has begun, waits; those that are only ready where `held` is false. */
  inFlight(held: boolean): Command[] {
    const commands: Command[] = [];
    for (let item = 1; item < this.#next; item++) {
      const status = this.status(item);
      if (status === TaskStatus.WAITING_RETRY) commands.push(this.#scheduleRetry(item));
      if (status === TaskStatus.RUNNING || (status === TaskStatus.READY && !held)) commands.push(this.#dispatch(item));
    }
    return commands;
  }

  /** Takes back the dispatches that have not begun. */
  withdraw(): WithdrawCommand[] {
    return this.#ofStatus(TaskStatus.READY).map((item) => ({
      kind: "withdraw",
      task: this.#task,
      item,
      attempt: this.attempt(item),
    }));
  }

  /** Dispatches what was held, and what comes next. */
  release(): Command[] {
    const held: Command[] = this.#ofStatus(TaskStatus.READY).map((item) => this.#dispatch(item));
    return held.concat(this.fill());
  }

  /** Ends what is open; the task itself where no item is. */
  cancel(): CancelTaskCommand[] {
    const task = this.#task;
    const commands: CancelTaskCommand[] = [];
    for (let item = 1; item < this.#next; item++) {
      const status = this.status(item);
      if (status === TaskStatus.SUCCEEDED || status === TaskStatus.FAILED) continue;
      const attempt = status === TaskStatus.WAITING_RETRY ? 0 : this.attempt(item);
      commands.push({ kind: "cancelTask", task, item, attempt });
    }
    if (commands.length === 0) commands.push({ kind: "cancelTask", task, item: 0, attempt: 0 });
    return commands;
  }

  /** For a snapshot. */
  state(): ItemsState {
    return create(ItemsStateSchema, {
      task: this.#task,
      limit: this.#limit,
      statuses: this.#status.slice(),
      attempts: [...this.#attempt],
      retries: waitsToProto(this.#waits),
      firstFailed: this.#firstFailed,
    });
  }

  /** The items of a snapshot. */
  static restore(state: ItemsState, priority: number): TaskItems {
    const { task, limit, statuses, attempts, retries, firstFailed } = state;
    const items = new TaskItems({ task, priority, total: statuses.length, limit });
    items.#status.set(statuses);
    items.#attempt.set(attempts.slice(0, statuses.length));
    items.#waits = waitsFromProto(retries);
    items.#firstFailed = firstFailed;
    items.#count();
    return items;
  }

  #count(): void {
    for (const status of this.#status) {
      if (status === TaskStatus.PENDING) continue;
      this.#next++;
      if (status === TaskStatus.SUCCEEDED) this.#succeeded++;
      else if (status === TaskStatus.FAILED) this.#failed++;
      else this.#active++;
    }
  }

  #ofStatus(wanted: TaskStatus): number[] {
    const found: number[] = [];
    for (let item = 1; item < this.#next; item++) if (this.status(item) === wanted) found.push(item);
    return found;
  }

  #ready(item: number): DispatchCommand {
    this.#status[item - 1] = TaskStatus.READY;
    this.#attempt[item - 1]!++;
    return this.#dispatch(item);
  }

  #dispatch(item: number): DispatchCommand {
    return { kind: "dispatch", task: this.#task, attempt: this.attempt(item), item, priority: this.#priority };
  }

  #scheduleRetry(item: number): Command {
    const { afterMs, dueMs } = this.#waits!.get(item)!;
    return { kind: "scheduleRetry", task: this.#task, item, attempt: this.attempt(item), afterMs, dueMs };
  }
}
