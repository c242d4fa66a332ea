import { createInterface } from "node:readline/promises";
import type { OdgClient } from "@odg/client";
import type { Event } from "@odg/proto/odg/run/v1/run_pb";
import { failureOf } from "@odg/rpc";
import { surroundings } from "./config.ts";
import type { RunView } from "./live-tree.ts";
import { say } from "./output.ts";

/** What asking for consent needs. */
export interface ConsentOptions {
  /** Decides by the name of whoever sits here. */
  client: OdgClient;
  /** Stands still while somebody is asked. */
  view: RunView;
  /** Told where nobody here can consent. */
  unconsented(why: string): void;
}

/** Asks whoever sits at the terminal for the consents of a run in this process: nobody else can give them. One question at a time. */
export class Consents {
  #options: ConsentOptions;
  #taskIds: string[] = [];
  #asked = Promise.resolve();
  #over = new AbortController();

  constructor(options: ConsentOptions) {
    this.#options = options;
  }

  event({ runId, kind }: Event): void {
    if (kind.case === "runStarted") this.#taskIds = kind.value.workflow?.tasks.map(({ id }) => id) ?? [];
    if (kind.case === "runCompleted") this.#over.abort();
    if (kind.case !== "approvalRequested") return;
    const { task, question } = kind.value;
    const taskId = this.#taskIds[task] ?? "";
    this.#asked = this.#asked.then(() => this.#ask({ runId, taskId, question }));
  }

  /** Asks nothing more. */
  close(): void {
    this.#over.abort();
  }

  async #ask({ runId, taskId, question }: { runId: string; taskId: string; question: string }): Promise<void> {
    if (this.#over.signal.aborted) return;
    const { client, view, unconsented } = this.#options;
    if (!surroundings.canAsk) {
      say(`task ${taskId} needs consent, and this is no terminal to ask at: ${question}`);
      say("start the run on an engine (--engine URL) and consent with: odg approve RUN");
      unconsented("it needs a consent that nobody here can give");
      return;
    }
    view.suspend();
    try {
      const answer = await this.#question(taskId, question);
      if (answer) await client.runs.decideApproval({ runId, taskId, ...answer });
    } catch (error) {
      if (this.#over.signal.aborted) return;
      say(failureOf(error).message);
      unconsented("it needs a consent that nobody here can give");
    } finally {
      view.resume();
    }
  }

  /** Nothing where the run ended before the answer. */
  async #question(taskId: string, question: string): Promise<{ approve: boolean; reason: string } | undefined> {
    const { signal } = this.#over;
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    // In raw mode Ctrl-C is a character: it means the same here as elsewhere in the run.
    lines.once("SIGINT", () => process.emit("SIGINT"));
    try {
      say(`\ntask ${taskId} needs consent: ${question}`);
      let word = "";
      while (!/^(y|yes|n|no)$/i.test(word)) word = (await lines.question("Grant it? (y/n) ", { signal })).trim();
      const reason = (await lines.question("Reason: ", { signal })).trim();
      return { approve: /^y/i.test(word), reason };
    } finally {
      lines.close();
    }
  }
}
