import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import type { Command } from "./command.ts";
import { RunMachine } from "./machine.ts";
import { Journal, workflowOf } from "./testing/journal.ts";

// Interaction scripts in testdata: a line that does not begin with ">" is an event, the ">" lines after it are what the machine asks
// for. The format is told in the README. REWRITE=1 writes what the machine answers now into the files.
const folder = new URL("../testdata/", import.meta.url);
const scripts = readdirSync(folder).filter((name) => name.endsWith(".txt"));

describe("the machine answers as the script says", () => {
  test.each(scripts)("%s", (name) => {
    const file = new URL(name, folder);
    const script = readFileSync(file, "utf8");
    const actual = new Script().play(script);
    if (process.env.REWRITE === "1") writeFileSync(file, actual);
    else expect(actual).toBe(script);
  });
});

class Script {
  #workflow: Workflow = workflowOf({});
  #journal = new Journal();
  #machine = new RunMachine();

  play(script: string): string {
    const lines = script.split("\n").filter((line) => !line.startsWith(">"));
    return lines.flatMap((line) => [line, ...this.#answer(line)]).join("\n");
  }

  #answer(line: string): string[] {
    const [verb = "", ...words] = line.trim().split(/\s+/);
    if (verb === "" || verb.startsWith("#")) return [];
    if (verb === "workflow") return this.#define(words);
    if (verb === "status") return [`> ${this.#statuses()}`];
    const commands = this.#commands(verb, words);
    return commands === undefined ? ["> refused"] : commands.map((command) => `> ${this.#print(command)}`);
  }

  // `a b<-a c<-a,b`: each task with its predecessors.
  #define(words: string[]): string[] {
    const edges = words.map((word): [string, string[]] => {
      const [id = "", before = ""] = word.split("<-");
      return [id, before === "" ? [] : before.split(",")];
    });
    this.#workflow = workflowOf(Object.fromEntries(edges));
    this.#journal = new Journal();
    this.#machine = new RunMachine();
    return [];
  }

  #commands(verb: string, words: string[]): Command[] | undefined {
    if (verb === "pending") return this.#machine.pending();
    if (verb === "replay") {
      const seen = this.#machine;
      this.#machine = new RunMachine();
      for (const event of this.#journal.events) this.#machine.apply(event);
      expect(this.#machine.pending()).toEqual(seen.pending());
      return this.#machine.pending();
    }
    if (verb === "again") return this.#machine.tryApply(this.#journal.events.at(Number(words[0] ?? 1) * -1)!);
    return this.#machine.tryApply(this.#event(verb, words));
  }

  #event(verb: string, [id = "", number = "1", retry]: string[]) {
    const task = id === "?" ? 999 : this.#workflow.tasks.findIndex((candidate) => candidate.id === id);
    const attempt = Number(number);
    switch (verb) {
      case "run":
        return this.#journal.started(this.#workflow);
      case "started":
        return this.#journal.taskStarted(task, attempt);
      case "completed":
        return this.#journal.completed(task, attempt);
      case "failed":
        return this.#journal.failed(
          task,
          attempt,
          retry === undefined ? undefined : Number(retry.replace("retry=", "")),
        );
      case "skipped":
        return this.#journal.skipped(task, SkipCause[number as keyof typeof SkipCause]);
      case "due":
        return this.#journal.retryDue(task);
      case "cancel":
        return this.#journal.cancelRequested();
      case "cancelled":
        return this.#journal.cancelled(task);
      case "ended":
        return this.#journal.ended(RunStatus[id as keyof typeof RunStatus]);
      default:
        throw new Error(`The script says ${verb}, which is no event.`);
    }
  }

  #print(command: Command): string {
    if (command.kind === "completeRun") return `completeRun ${RunStatus[command.status]}`;
    if (command.kind === "scheduleRunTimeout") return `scheduleRunTimeout due=${command.dueMs}ms`;
    const { id } = this.#workflow.tasks[command.task]!;
    switch (command.kind) {
      case "dispatch":
        return `dispatch ${id} attempt=${command.attempt} priority=${command.priority}`;
      case "skip":
        return `skip ${id} ${SkipCause[command.cause]}`;
      case "scheduleRetry":
        return `scheduleRetry ${id} attempt=${command.attempt} after=${command.afterMs}ms due=${command.dueMs}ms`;
      case "awaitApproval":
        return `awaitApproval ${id} deadline=${command.deadlineMs}`;
      default:
        return `${command.kind} ${id} attempt=${command.attempt}`;
    }
  }

  #statuses(): string {
    const tasks = this.#workflow.tasks.map(({ id }, task) => `${id}=${TaskStatus[this.#machine.status(task)]}`);
    return `${RunStatus[this.#machine.runStatus]} ${tasks.join(" ")}`;
  }
}
