import { createHash } from "node:crypto";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";

const LARGEST_PAGE = 1000;
const DEFAULT_PAGE = 50;

/** Entries of a page: 50 where none is asked for, at most 1,000 (AIP-158). */
export function pageSize(asked: number): number {
  return asked === 0 ? DEFAULT_PAGE : Math.min(asked, LARGEST_PAGE);
}

/** The token that goes on after `last`, for the same list with the same filter. It gives no right; it is only a place. */
export function pageToken(list: string, last: string): string {
  return Buffer.from(JSON.stringify([last, check(list, last)])).toString("base64url");
}

/** @throws ConnectError with BAD_PAGE_TOKEN where the token is none, or belongs to another list or filter. */
export function placeOf(list: string, token: string): string | undefined {
  if (token === "") return undefined;
  const [last, sum] = parse(token);
  if (typeof last !== "string" || sum !== check(list, last)) {
    throw reject(Reason.BAD_PAGE_TOKEN, {
      message: "the page token does not belong to this list with this filter",
      field: "page_token",
    });
  }
  return last;
}

function parse(token: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    // Any text may come here; what is no token of ours is refused by the caller.
    return [];
  }
}

function check(list: string, last: string): string {
  return createHash("sha256").update(`${list}\n${last}`).digest("base64url").slice(0, 12);
}
