import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { OdgClient } from "@odg/client";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Event } from "@odg/proto/odg/run/v1/run_pb";
import { failureOf, reasonOf } from "@odg/rpc";
import type { RunView } from "./live-tree.ts";
import { say } from "./output.ts";

/** What asking for consent needs. */
export interface ConsentOptions {
  /** Decides by the name of whoever sits here. */
  client: Pick<OdgClient, "runs" | "watch">;
  /** Stands still while somebody is asked. */
  view: Pick<RunView, "suspend" | "resume">;
  /** Where somebody can be asked; absent where nobody can. */
  terminal: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream } | undefined;
  /** Told where nobody here can consent. */
  unconsented(why: string): void;
}

interface Question {
  runId: string;
  taskId: string;
  question: string;
}

/** Between two looks for a run that is about to start. */
const LATER_MS = 50;
const NOBODY = "it needs a consent that nobody here can give";

/**
 * Asks whoever sits at the terminal for the consents of a run in this process, and of its sub-workflows: nobody else can give them. One question
 * at a time.
 */
export class Consents {
  #options: ConsentOptions;
  /** Ids of the tasks, by run. */
  #taskIds = new Map<string, string[]>();
  #asked = Promise.resolve();
  #over = new AbortController();

  constructor(options: ConsentOptions) {
    this.#options = options;
  }

  /** An event of the run, or of one below it. */
  event({ runId, kind }: Event): void {
    switch (kind.case) {
      case "runStarted":
        this.#taskIds.set(runId, kind.value.workflow?.tasks.map(({ id }) => id) ?? []);
        break;
      case "taskStarted":
        if (kind.value.childRunId) void this.#follow(kind.value.childRunId);
        break;
      case "approvalRequested": {
        const { task, question } = kind.value;
        const taskId = this.#taskIds.get(runId)?.[task] ?? "";
        this.#asked = this.#asked.then(() => this.#ask({ runId, taskId, question }));
        break;
      }
    }
  }

  /** Asks nothing more; a question that waits for its answer is taken back. */
  close(): void {
    this.#over.abort();
  }

  async #follow(runId: string): Promise<void> {
    const { signal } = this.#over;
    for (;;) {
      try {
        for await (const message of this.#options.client.watch(runId, { signal })) {
          if (message.case === "event") this.event(message.value);
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        // The task is said to have started before its run is.
        if (reasonOf(error) !== Reason.NOT_FOUND) {
          say(failureOf(error).message);
          this.#options.unconsented(NOBODY);
          return;
        }
        await sleep(LATER_MS);
      }
    }
  }

  async #ask(asked: Question): Promise<void> {
    if (this.#over.signal.aborted) return;
    const { client, view, terminal, unconsented } = this.#options;
    if (!terminal) {
      say(`task ${asked.taskId} needs consent, and this is no terminal to ask at: ${asked.question}`);
      say("start the run on an engine (--engine URL) and consent with: odg approve RUN");
      unconsented(NOBODY);
      return;
    }
    view.suspend();
    try {
      const answer = await this.#answerTo(asked, terminal);
      await client.runs.decideApproval({ runId: asked.runId, taskId: asked.taskId, ...answer });
    } catch (error) {
      if (this.#over.signal.aborted) return;
      say(failureOf(error).message);
      unconsented(NOBODY);
    } finally {
      view.resume();
    }
  }

  async #answerTo(
    { taskId, question }: Question,
    { input, output }: NonNullable<ConsentOptions["terminal"]>,
  ): Promise<{ approve: boolean; reason: string }> {
    const { signal } = this.#over;
    const lines = createInterface({ input, output });
    // In raw mode Ctrl-C is a character: it means the same here as elsewhere in the run.
    lines.once("SIGINT", () => process.emit("SIGINT"));
    try {
      output.write(`\ntask ${taskId} needs consent: ${question}\n`);
      let word = "";
      while (!/^(y|yes|n|no)$/i.test(word)) word = (await lines.question("Grant it? (y/n) ", { signal })).trim();
      const reason = (await lines.question("Reason: ", { signal })).trim();
      return { approve: /^y/i.test(word), reason };
    } finally {
      lines.close();
    }
  }
}
