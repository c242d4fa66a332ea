import { create } from "@bufbuild/protobuf";
import { ConsentSchema, type Consent as ConsentState } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { AwaitApprovalCommand } from "./command.ts";

interface Consent {
  deadlineMs: number | undefined;
  escalated: boolean;
  approved: boolean;
}

/** The consents that the tasks of a run wait for, or got. */
export class Consents {
  #byTask = new Map<number, Consent>();

  /** Whether the task's consent was asked for, whatever came of it. */
  has(task: number): boolean {
    return this.#byTask.has(task);
  }

  /** Whether it was granted. */
  approved(task: number): boolean {
    return this.#byTask.get(task)?.approved ?? false;
  }

  /** It was asked for. */
  request(task: number, deadlineMs: number | undefined): void {
    this.#byTask.set(task, { deadlineMs, escalated: false, approved: false });
  }

  /** More people may decide. False where that was so already. */
  escalate(task: number, deadlineMs: number | undefined): boolean {
    const consent = this.#byTask.get(task);
    if (consent === undefined || consent.escalated) return false;
    consent.escalated = true;
    consent.deadlineMs = deadlineMs;
    return true;
  }

  /** It was granted. */
  approve(task: number): void {
    const consent = this.#byTask.get(task);
    if (consent !== undefined) consent.approved = true;
  }

  /** The wait for it. */
  wait(task: number): AwaitApprovalCommand {
    return { kind: "awaitApproval", task, deadlineMs: this.#byTask.get(task)?.deadlineMs };
  }

  /** For a snapshot. */
  state(): ConsentState[] {
    return [...this.#byTask].map(([task, { deadlineMs = 0, escalated, approved }]) =>
      create(ConsentSchema, { task, deadlineMs, escalated, approved }),
    );
  }

  /** The consents of a snapshot. */
  static restore(states: readonly ConsentState[]): Consents {
    const consents = new Consents();
    for (const { task, deadlineMs, escalated, approved } of states)
      consents.#byTask.set(task, { deadlineMs: deadlineMs || undefined, escalated, approved });
    return consents;
  }
}
