import { describe, expect, it } from "vitest";
import { openExchange } from "./exchange.ts";
import { ModelError } from "./model-error.ts";

const never = new AbortController().signal;
const open = (send: typeof fetch, signal = never) => openExchange({ model: "m", fetch: send, signal });
const ok: typeof fetch = async () => new Response("data: {}\n\n");

describe("one exchange with a vendor", () => {
  it("lets out the headers that a vendor needs and no others, and follows no redirect", async () => {
    const seen: RequestInit[] = [];
    const spy: typeof fetch = async (_input, init) => {
      seen.push(init ?? {});
      return new Response();
    };
    const headers = {
      authorization: "Bearer k",
      "x-stainless-os": "Linux",
      cookie: "c",
      "content-type": "application/json",
    };
    await open(spy).fetch("https://example.org/", { method: "POST", headers, body: "{}" });
    expect([...new Headers(seen[0]?.headers)]).toEqual([
      ["authorization", "Bearer k"],
      ["content-type", "application/json"],
    ]);
    expect(seen[0]).toMatchObject({ method: "POST", body: "{}", redirect: "error" });
  });

  it("is aborted by its caller, by the SDK and by being closed", async () => {
    const signals: AbortSignal[] = [];
    const spy: typeof fetch = async (_input, init) => {
      if (init?.signal) signals.push(init.signal);
      return new Response();
    };
    const [caller, sdk] = [new AbortController(), new AbortController()];
    await open(spy, caller.signal).fetch("https://example.org/");
    await open(spy).fetch("https://example.org/", { signal: sdk.signal });
    const third = open(spy);
    await third.fetch("https://example.org/");
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
    caller.abort();
    sdk.abort();
    third.close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });

  it("reads no more of an error than its beginning", async () => {
    let read = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (stream) => {
        read++;
        stream.enqueue(new Uint8Array(16_384).fill(120));
      },
    });
    const exchange = open(async () => new Response(endless, { status: 500 }));
    await expect(exchange.fetch("https://example.org/")).rejects.toMatchObject({ kind: "overloaded", status: 500 });
    expect(read).toBeLessThan(10);
  });

  it.each([
    ["one line without an end", "x".repeat(65_536)],
    ["lines without an end", "data: {}\n\n".repeat(6554)],
  ])("ends %s", async (_name, chunk) => {
    const bytes = new TextEncoder().encode(chunk);
    const endless = new ReadableStream({ pull: (stream) => stream.enqueue(bytes) });
    const exchange = open(async () => new Response(endless));
    const response = await exchange.fetch("https://example.org/");
    let size = 0;
    const reading = (async () => {
      for await (const part of response.body ?? []) size += part.byteLength;
    })();
    const thrown: unknown = await reading.catch((error: unknown) => new Error("stream broken", { cause: error }));
    expect(exchange.errorOf(thrown)).toMatchObject({ kind: "malformed", code: "response_too_large" });
    expect(size).toBeLessThanOrEqual(67_108_864);
  });

  it("remembers what the vendor answered, whatever an SDK makes of it", async () => {
    const exchange = open(async () => new Response("{}", { status: 429, headers: { "retry-after": "2" } }));
    await exchange.fetch("https://example.org/").catch(() => undefined);
    expect(exchange.errorOf(new Error("Connection error."))).toMatchObject({
      kind: "rate_limited",
      retryAfterMs: 2000,
    });
  });

  it("has the SDK to blame for what was never sent", () => {
    expect(open(ok).errorOf(new TypeError("canary"))).toMatchObject({ kind: "invalid_request", code: "not_sent" });
  });

  const failing =
    (error: Error): typeof fetch =>
    () =>
      Promise.reject(error);
  const coded = (code: string) =>
    new TypeError("fetch failed", { cause: Object.assign(new Error("canary"), { code }) });
  it.each([
    ["ECONNREFUSED", "unreachable"],
    ["ENOTFOUND", "unreachable"],
    ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
    ["ETIMEDOUT", "timeout"],
  ])("names %s, before an answer, %s", async (code, kind) => {
    const exchange = open(failing(coded(code)));
    const thrown: unknown = await exchange.fetch("https://example.org/").catch((error: unknown) => error);
    const error = exchange.errorOf(new Error("Connection error.", { cause: thrown }));
    expect(error).toMatchObject({ kind, code });
    expect(error.message + error.stack).not.toContain("canary");
  });

  it.each([
    ["a syntax error", new SyntaxError("canary"), "malformed"],
    ["a syntax error behind another", new Error("canary", { cause: new SyntaxError("canary") }), "malformed"],
    ["a lost connection", coded("UND_ERR_SOCKET"), "cut"],
    ["a slow body", coded("UND_ERR_BODY_TIMEOUT"), "timeout"],
    [
      "an event of Anthropic's",
      Object.assign(new Error("canary"), { error: { error: { type: "overloaded_error" } } }),
      "overloaded",
    ],
    [
      "an event of OpenAI's",
      Object.assign(new Error("canary"), { error: { code: "rate_limit_exceeded" } }),
      "rate_limited",
    ],
    ["an event of Google's", Object.assign(new Error('got {"error":{"code":503}}'), { status: 503 }), "overloaded"],
    ["a status without a body", Object.assign(new Error("canary"), { status: 500 }), "overloaded"],
    ["something that is no error", "canary", "cut"],
  ])("names %s within an answer", async (_name, thrown, kind) => {
    const exchange = open(ok);
    await exchange.fetch("https://example.org/");
    const error = exchange.errorOf(thrown);
    expect(error).toMatchObject({ kind });
    expect(error.message + error.stack).not.toContain("canary");
  });

  it("tells the caller's leaving from its timeout", () => {
    expect(open(ok, AbortSignal.abort()).errorOf(new Error())).toMatchObject({ kind: "cancelled" });
    const late = AbortSignal.abort(new DOMException("late", "TimeoutError"));
    expect(open(ok, late).errorOf(new Error())).toMatchObject({ kind: "timeout", retryable: true });
  });

  it("leaves a named error as it is", () => {
    const error = new ModelError("malformed", { model: "m" });
    expect(open(ok, AbortSignal.abort()).errorOf(error)).toBe(error);
  });
});
