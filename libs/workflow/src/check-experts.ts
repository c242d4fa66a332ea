import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Task, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import satisfies from "semver/functions/satisfies.js";
import { type IssueList, quote } from "./issue.ts";

/** One registered expert, in one version, as a plan needs to know it. */
export interface ExpertListing {
  /** `SchemaExpert`. */
  name: string;
  /** Semver: `1.0.0`. */
  version: string;
  actions: readonly { name: string; capability: string }[];
}

/** Checks that every task finds an expert, in its version range, that knows its action. */
export function checkExperts(workflow: Workflow, experts: readonly ExpertListing[], issues: IssueList): void {
  const byName = Map.groupBy(experts, (expert) => expert.name);
  const names = [...byName.keys()];
  const skills = [...new Set(experts.flatMap(skillsOf))];
  workflow.tasks.forEach((task, number) => {
    const path = `tasks[${number}]`;
    if (task.action === "") return;
    if (task.expert === "") {
      checkRouted(task, { path, experts, skills }, issues);
    } else if (byName.has(task.expert)) {
      checkNamed(task, { path, experts: byName.get(task.expert)! }, issues);
    } else {
      const hint = issues.didYouMean(task.expert, names) ?? listed("Registered", names);
      issues.add(`${path}.expert`, Reason.EXPERT_UNAVAILABLE, `There is no expert ${quote(task.expert)}.`, { hint });
    }
  });
}

interface Candidates {
  path: string;
  experts: readonly ExpertListing[];
}

function checkNamed(task: Task, { path, experts }: Candidates, issues: IssueList): void {
  const fitting = experts.filter((expert) => inRange(expert, task));
  if (fitting.length === 0) {
    const versions = experts.map((expert) => expert.version);
    const message = `No version of ${task.expert} satisfies ${quote(task.version)}.`;
    issues.add(`${path}.version`, Reason.EXPERT_UNAVAILABLE, message, { hint: listed("Registered", versions) });
    return;
  }
  const actions = [...new Set(fitting.flatMap((expert) => expert.actions.map((action) => action.name)))];
  if (actions.includes(task.action)) return;
  const hint = issues.didYouMean(task.action, actions) ?? listed("It knows", actions);
  issues.add(`${path}.action`, Reason.EXPERT_UNAVAILABLE, `${task.expert} has no action ${quote(task.action)}.`, {
    hint,
  });
}

function checkRouted(
  task: Task,
  { path, experts, skills }: Candidates & { skills: string[] },
  issues: IssueList,
): void {
  const skilled = experts.filter((expert) => skillsOf(expert).includes(task.action));
  if (skilled.length === 0) {
    const hint = issues.didYouMean(task.action, skills) ?? listed("Known", skills);
    const message = `No expert has the action or capability ${quote(task.action)}.`;
    issues.add(`${path}.action`, Reason.EXPERT_UNAVAILABLE, message, { hint });
  } else if (!skilled.some((expert) => inRange(expert, task))) {
    const names = skilled.map((expert) => `${expert.name}@${expert.version}`);
    const message = `No expert for ${quote(task.action)} satisfies ${quote(task.version)}.`;
    issues.add(`${path}.version`, Reason.EXPERT_UNAVAILABLE, message, { hint: listed("Registered", names) });
  }
}

function skillsOf(expert: ExpertListing): string[] {
  return expert.actions.flatMap((action) => [action.name, action.capability]);
}

function inRange(expert: ExpertListing, task: Task): boolean {
  return task.version === "" || satisfies(expert.version, task.version);
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return "No expert is registered.";
  const shown = names.toSorted().slice(0, 20).join(", ");
  return names.length > 20 ? `${what}: ${shown} and ${names.length - 20} more.` : `${what}: ${shown}.`;
}
