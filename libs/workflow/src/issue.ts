import { create } from "@bufbuild/protobuf";
import type { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Issue, IssueSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { distance, closest as nearest } from "fastest-levenshtein";

export type { Issue } from "@odg/proto/odg/workflow/v1/workflow_pb";

/** Most issues that one check reports; beyond it a text is garbage rather than a workflow with mistakes. */
export const MAX_ISSUES = 1000;

/** Most names that are compared for one "did you mean", times the names asked for: keeps hostile input linear. */
const HINT_COMPARISONS = 200_000;

/** Longest name that a "did you mean" is computed for, in UTF-16 units. */
const HINT_LENGTH = 128;

/** Where an issue stands in its source, both counted from 1. */
export interface Position {
  line: number;
  column: number;
}

/** What can be said of an issue beside its path, reason and message. */
export interface IssueExtras extends Partial<Position> {
  /** What to do about it. */
  hint?: string;
}

/** Gathers the issues of one check, up to {@link MAX_ISSUES}. */
export class IssueList {
  readonly issues: Issue[] = [];
  #comparisons = 0;

  /** Adds an issue; past the cap it is dropped. `path` is written as `tasks[3].depends_on[0]`. */
  add(path: string, reason: Reason, message: string, extras: IssueExtras = {}): void {
    if (this.issues.length >= MAX_ISSUES) return;
    this.issues.push(create(IssueSchema, { path, reason, message, ...extras }));
  }

  /** True once no further issue is taken. */
  get full(): boolean {
    return this.issues.length >= MAX_ISSUES;
  }

  /** `Did you mean "schema"?`, or nothing where no known name is close, or where too many were compared before. */
  didYouMean(name: string, known: readonly string[]): string | undefined {
    this.#comparisons += known.length;
    if (this.#comparisons > HINT_COMPARISONS) return undefined;
    const found = closest(name, known);
    return found === undefined ? undefined : `Did you mean "${found}"?`;
  }
}

/**
 * The known name closest to `name` by Levenshtein distance, letter case left aside; undefined where more than a third of the
 * letters (two at least, but not all) differ.
 */
export function closest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name === "" || name.length > HINT_LENGTH) return undefined;
  const lower = known.map((candidate) => candidate.toLowerCase());
  const best = nearest(name.toLowerCase(), lower);
  const shorter = Math.min(name.length, best.length);
  const limit = Math.min(shorter - 1, Math.max(2, Math.floor(Math.max(name.length, best.length) / 3)));
  return distance(name.toLowerCase(), best) <= limit ? known[lower.indexOf(best)] : undefined;
}

/** A name for a message: quoted, and cut after 64 characters, since it may be hostile. */
export function quote(name: string): string {
  const short = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  return JSON.stringify(short);
}
