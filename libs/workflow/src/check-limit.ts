import type { Duration } from "@bufbuild/protobuf/wkt";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { IssueList } from "./issue.ts";

/** A field that limits a time, and the most that it may say. */
export interface TimeLimit {
  path: string;
  /** In seconds. */
  most: number;
}

/** Checks that a time limit is more than nothing and no more than it may be. */
export function checkLimit(limit: Duration, { path, most }: TimeLimit, issues: IssueList): void {
  const seconds = secondsOf(limit);
  if (seconds > 0 && seconds <= most) return;
  const field = path.slice(path.lastIndexOf(".") + 1);
  issues.add(path, Reason.FIELD_FORMAT, `${field} is more than 0 s and at most ${most} s.`);
}

/** Seconds of a duration, fractions kept. */
export function secondsOf({ seconds, nanos }: Duration): number {
  return Number(seconds) + nanos / 1e9;
}
