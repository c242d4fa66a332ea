import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";
import { expect, test } from "vitest";
import { pageSize, pageToken, placeOf } from "./page-token.ts";

test("a page token leads on in its own list only", () => {
  const token = pageToken("runs\nw", "id-7");
  expect(placeOf("runs\nw", token)).toBe("id-7");
  expect(placeOf("runs\nw", "")).toBeUndefined();
  for (const [list, forged] of [
    ["runs\nother", token],
    ["runs\nw", `${token}x`],
    ["runs\nw", "%%%"],
    ["runs\nw", "bnVsbA"],
  ] as const) {
    let caught: unknown;
    try {
      placeOf(list, forged);
    } catch (error) {
      caught = error;
    }
    expect(reasonOf(caught)).toBe(Reason.BAD_PAGE_TOKEN);
  }
});

test("a page has 50 entries unless told, and at most 1,000", () => {
  expect([0, 1, 1000, 10 ** 9].map(pageSize)).toEqual([50, 1, 1000, 1000]);
});
