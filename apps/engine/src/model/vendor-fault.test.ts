import { describe, expect, it } from "vitest";
import { type VendorAnswer, vendorFault } from "./vendor-fault.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const fault = (answer: Partial<VendorAnswer>) => vendorFault({ model: "m", body: undefined, nowMs: NOW, ...answer });

describe("what a vendor answers in place of an answer", () => {
  it.each([
    [
      400,
      { error: { type: "invalid_request_error", code: "unknown_parameter", param: "text.format" } },
      "invalid_request",
    ],
    [
      400,
      { error: { code: 400, status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] } },
      "authentication",
    ],
    [400, { error: { code: "content_policy_violation" } }, "refused"],
    [401, { type: "error", error: { type: "authentication_error", message: "x" } }, "authentication"],
    [403, undefined, "authentication"],
    [404, { error: { type: "not_found_error" } }, "invalid_request"],
    [408, undefined, "timeout"],
    [413, { error: { type: "request_too_large" } }, "invalid_request"],
    [429, { error: { type: "tokens", code: "rate_limit_exceeded" } }, "rate_limited"],
    [500, { error: { type: "invalid_request_error" } }, "overloaded"],
    [503, [{ error: { code: 503, status: "UNAVAILABLE" } }], "overloaded"],
    [504, undefined, "timeout"],
    [529, { error: { type: "overloaded_error" } }, "overloaded"],
    [undefined, { error: { type: "overloaded_error" } }, "overloaded"],
    [undefined, { error: { code: 429, status: "RESOURCE_EXHAUSTED" } }, "rate_limited"],
    [undefined, { error: { type: "never heard of" } }, "cut"],
  ])("%s %j is %s", (status, body, kind) => {
    expect(fault({ status, body })).toMatchObject({ kind });
  });

  it("names the field where the vendor names one", () => {
    const error = fault({ status: 400, body: { error: { param: "input[0].content", code: "invalid_type" } } });
    expect(error).toMatchObject({ field: "input[0].content", code: "invalid_type" });
    expect(error.message).toBe("m: invalid request (HTTP 400, invalid_type, at input[0].content)");
  });

  it("repeats no sentence, wherever the vendor puts it", () => {
    const said = "Incorrect API key provided: sk-canary";
    const body = {
      error: { message: said, code: said, type: said, status: said, param: said, details: [{ reason: said }] },
    };
    expect(JSON.stringify({ ...fault({ status: 401, body }) }) + fault({ status: 401, body }).stack).not.toContain(
      "canary",
    );
  });

  it("does not retry where a quota is used up", () => {
    expect(fault({ status: 429, body: { error: { code: "insufficient_quota" } } }).retryable).toBe(false);
  });
});

describe("how long to wait", () => {
  const wait = (headers: Record<string, string>, body?: unknown) =>
    fault({ status: 429, headers: new Headers(headers), body }).retryAfterMs;

  it.each([
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "1.5" }, 1500],
    [{ "retry-after-ms": "250", "retry-after": "1" }, 250],
    [{ "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "99999999" }, 86_400_000],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-3" }, undefined],
    [{}, undefined],
  ])("reads %j", (headers, ms) => {
    expect(wait(headers)).toBe(ms);
  });

  it("reads Google's RetryInfo", () => {
    const details = [{ reason: "RATE_LIMIT_EXCEEDED" }, { retryDelay: "3.5s" }];
    expect(wait({}, { error: { code: 429, details } })).toBe(3500);
  });
});
