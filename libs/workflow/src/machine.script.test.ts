import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { ApprovalStatus, RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import type { Command } from "./command.ts";
import { RunMachine } from "./machine.ts";
import { Journal, type TaskInit, workflowOf, workflowWith } from "./testing/journal.ts";

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

  // `a b<-a c<-a,b`: each task with its predecessors; behind them `:all_done`, `:approval`, `:each`. Before the tasks `fail_fast`,
  // `timeout=60`.
  #define(words: string[]): string[] {
    const tasks: TaskInit[] = [];
    const more: Parameters<typeof workflowWith>[1] = {};
    for (const word of words) {
      if (word === "fail_fast") more.onFailure = word;
      else if (word.startsWith("timeout=")) more.timeout = { seconds: BigInt(word.slice("timeout=".length)) };
      else tasks.push(taskOf(word));
    }
    this.#workflow = workflowWith(tasks, more);
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

  #event(verb: string, [name = "", ...more]: string[]) {
    const journal = this.#journal;
    const [id, item = 0] = name.split("/").map((part, i) => (i === 0 ? part : Number(part))) as [string, number?];
    const task = id === "?" ? 999 : this.#workflow.tasks.findIndex((candidate) => candidate.id === id);
    const attempt = Number(more.find((word) => /^\d+$/.test(word)) ?? 1);
    const option = (key: string) => {
      const found = more.find((word) => word.startsWith(`${key}=`));
      return found === undefined ? undefined : Number(found.slice(key.length + 1));
    };
    switch (verb) {
      case "run":
        return journal.started(this.#workflow, this.#reused(name));
      case "started":
        return journal.taskStarted(task, attempt, item);
      case "completed":
        return journal.completed(task, attempt, item);
      case "reused":
        return journal.reused(task, attempt);
      case "failed":
        return journal.failed(task, attempt, option("retry"), item);
      case "skipped":
        return journal.skipped(task, SkipCause[more[0] as keyof typeof SkipCause]);
      case "due":
        return journal.retryDue(task, item);
      case "expanded":
        return journal.expanded(task, option("count") ?? 0, option("max"));
      case "asked":
        return journal.asked(task, option("within"));
      case "escalated":
        return journal.escalated(task, option("within"));
      case "decided":
        return journal.decided(task, ApprovalStatus[more[0] as keyof typeof ApprovalStatus]);
      case "pause":
        return journal.paused();
      case "resume":
        return journal.resumed();
      case "timeout":
        return journal.timedOut();
      case "cancel":
        return journal.cancelRequested();
      case "cancelled":
        return journal.cancelled(task);
      case "ended":
        return journal.ended(RunStatus[name as keyof typeof RunStatus]);
      default:
        throw new Error(`The script says ${verb}, which is no event.`);
    }
  }

  // `run reused=a,b`
  #reused(word: string): number[] {
    if (!word.startsWith("reused=")) return [];
    const ids = word.slice("reused=".length).split(",");
    return this.#workflow.tasks.flatMap(({ id }, task) => (ids.includes(id) ? [task] : []));
  }

  #print(command: Command): string {
    if (command.kind === "completeRun") return `completeRun ${RunStatus[command.status]}`;
    if (command.kind === "scheduleRunTimeout") return `scheduleRunTimeout due=${command.dueMs}ms`;
    const { id } = this.#workflow.tasks[command.task]!;
    const name = "item" in command && command.item > 0 ? `${id}/${command.item}` : id;
    switch (command.kind) {
      case "dispatch":
        return `dispatch ${name} attempt=${command.attempt} priority=${command.priority}`;
      case "skip":
        return `skip ${name} ${SkipCause[command.cause]}`;
      case "scheduleRetry":
        return `scheduleRetry ${name} attempt=${command.attempt} after=${command.afterMs}ms due=${command.dueMs}ms`;
      case "awaitApproval":
        return `awaitApproval ${name} deadline=${command.deadlineMs === undefined ? "none" : `${command.deadlineMs}ms`}`;
      case "completeTask":
        return `completeTask ${name} attempt=${command.attempt}${command.failed ? ` failed=${id}/${command.failedItem}` : ""}`;
      default:
        return `${command.kind} ${name} attempt=${command.attempt}`;
    }
  }

  #statuses(): string {
    const tasks = this.#workflow.tasks.map(({ id }, task) => `${id}=${TaskStatus[this.#machine.status(task)]}`);
    return `${RunStatus[this.#machine.runStatus]} ${tasks.join(" ")}`;
  }
}

// `c<-a,b:all_done:each`
function taskOf(word: string): TaskInit {
  const [edge = "", ...marks] = word.split(":");
  const [id = "", before = ""] = edge.split("<-");
  const task: TaskInit = { id, dependsOn: before === "" ? [] : before.split(",") };
  for (const mark of marks) {
    if (mark === "approval") task.approval = {};
    else if (mark === "each") task.forEach = { items: "[1]" };
    else task.triggerRule = mark;
  }
  return task;
}
