import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import semver from "semver";
import { capacityOf, type ExpertInstance, type RegisteredExpert } from "./registry.ts";

/** What the router decided for a task. */
export type Route =
  | { kind: "chosen"; expert: RegisteredExpert; instance: ExpertInstance; action: string }
  /** Suitable experts exist, and all work on as much as they may. */
  | { kind: "busy" }
  /** No expert will do; `why` says so in one sentence. */
  | { kind: "none"; why: string; hint: string };

/** What a task asks of the router. */
export interface Need {
  /** Name; empty where any expert will do. */
  expert: string;
  /** Name of an action, or of a capability where the expert is left open. */
  action: string;
  /** Semver range, or empty. */
  version: string;
}

/** What a task needs, with the version that its run has pinned it to. */
export function needOf(task: Pick<Task, "expert" | "action" | "version">, pin?: string): Need {
  if (!pin) return { expert: task.expert, action: task.action, version: task.version };
  const at = pin.lastIndexOf("@");
  return { expert: pin.slice(0, at), action: task.action, version: pin.slice(at + 1) };
}

/**
 * Picks who works on a task: the named expert, or the least busy one by load ratio that has the action or the capability. There is no
 * fallback: where the named expert is away the task is not given to another.
 */
export function route(need: Need, experts: readonly RegisteredExpert[]): Route {
  const candidates = candidatesFor(need, experts);
  if (candidates.length === 0) return nobody(need, experts);
  const healthy = candidates.flatMap(({ expert, action }) =>
    expert.instances.filter(({ healthy }) => healthy).map((instance) => ({ expert, instance, action })),
  );
  if (healthy.length === 0) return nobodyHealthy(need, candidates);
  const free = healthy.filter(({ expert, instance }) => instance.load < capacityOf(expert));
  if (free.length === 0) return { kind: "busy" };
  const ratio = ({ expert, instance }: (typeof free)[number]) => instance.load / capacityOf(expert);
  return { kind: "chosen", ...free.reduce((best, one) => (ratio(one) < ratio(best) ? one : best)) };
}

/** Who is being brought back is waited for; who is away is not. */
function nobodyHealthy(need: Need, candidates: readonly Candidate[]): Route {
  const instances = candidates.flatMap(({ expert }) => expert.instances);
  if (instances.some(({ recovering }) => recovering)) return { kind: "busy" };
  const trouble = instances.find((instance) => instance.trouble)?.trouble;
  const why = `${described(need)} is offline${trouble ? `: ${trouble}` : ""}`;
  return { kind: "none", why, hint: "Start it, or ask for another expert." };
}

interface Candidate {
  expert: RegisteredExpert;
  action: string;
}

/** Experts that could do it, each with the action it would run. A named expert answers in one version: the newest that satisfies. */
export function candidatesFor(need: Need, experts: readonly RegisteredExpert[]): Candidate[] {
  const able = experts
    .filter(({ description }) => !need.expert || description.name === need.expert)
    .filter(
      ({ description }) =>
        // Mostly a pin: one text against another spares the parsing of ranges.
        !need.version ||
        description.version === need.version ||
        semver.satisfies(description.version, need.version, { includePrerelease: true }),
    )
    .flatMap((expert) => {
      const action = actionOf(expert, need);
      return action ? [{ expert, action }] : [];
    })
    .sort((a, b) => semver.rcompare(a.expert.description.version, b.expert.description.version));
  return need.expert ? able.slice(0, 1) : newestOfEach(able);
}

/** An action of that name, else the first action of that capability. */
function actionOf({ description: { actions } }: RegisteredExpert, { action }: Need): string | undefined {
  return (actions.find(({ name }) => name === action) ?? actions.find(({ capability }) => capability === action))?.name;
}

function newestOfEach(sorted: Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return sorted.filter(({ expert }) => {
    const known = seen.has(expert.description.name);
    seen.add(expert.description.name);
    return !known;
  });
}

function nobody(need: Need, experts: readonly RegisteredExpert[]): Route {
  const named = experts.filter(({ description }) => description.name === need.expert);
  const versions = named.map(({ description }) => description.version).join(", ");
  const hint =
    named.length > 0
      ? `Registered versions: ${versions}.`
      : `Registered: ${experts.map(({ id }) => id).join(", ") || "none"}.`;
  return { kind: "none", why: `no expert for ${described(need)}`, hint };
}

function described({ expert, action, version }: Need): string {
  return `${expert || "any expert"}${version ? `@${version}` : ""} with action "${action}"`;
}
