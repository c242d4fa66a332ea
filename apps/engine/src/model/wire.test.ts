import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { type Simulator, startSimulator } from "../../../../tools/model-simulator/src/simulator.ts";
import { type ModelPart, type ModelRequest, resultOf } from "./model.ts";
import type { Vendor } from "./model-config.ts";
import type { ModelErrorKind } from "./model-error.ts";
import { CANARY, errorOf, FINDINGS, QUESTION, simulated, user } from "./testing/call.ts";

const VENDORS: readonly Vendor[] = ["openai", "anthropic", "google", "compatible"];

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

/** Long enough for the vendors' caches, and the same in no two tests. */
const longSystem = (vendor: string) => `${vendor} ${"You judge data by its evidence. ".repeat(200)}`;

describe.each(VENDORS)("%s", (vendor) => {
  const model = (faults?: string) => simulated({ vendor, url: simulator.url, faults });
  const never = new AbortController().signal;
  const ask = async (request: Partial<ModelRequest> = {}, faults?: string) => {
    const { usage, ...result } = await resultOf(model(faults).generate({ ...QUESTION, ...request }, never));
    if (!usage) throw new Error("nothing was counted");
    return { usage, ...result };
  };

  it("answers in text, with what was counted and the name of who answered", async () => {
    const result = await ask();
    expect(result.text).toBe("This is the simulator. It read 1 pieces of evidence: E-1.");
    expect(result).toMatchObject({ stopReason: "complete", model: expect.stringMatching(/^simulator\//) });
    expect(result.usage.input).toBeGreaterThan(0);
    expect(result.usage.output).toBeGreaterThanOrEqual(result.usage.reasoning);
  });

  it("answers by the schema, citing the evidence it was given", async () => {
    const { json, text } = await ask({ schema: FINDINGS });
    expect(json).toEqual(JSON.parse(text));
    expect(json).toMatchObject({ findings: [{ evidence: ["E-1"] }] });
  });

  it("sends requests that the vendor's published shape allows", async () => {
    const before = simulator.calls().misshapen;
    await ask({ schema: FINDINGS, cacheKey: "expert-schema/1", thinking: "high" });
    await ask({ schema: FINDINGS, thinking: "off", system: undefined });
    const talk = [
      ...QUESTION.messages,
      { role: "assistant" as const, content: [{ type: "text" as const, text: "Yes?" }] },
    ];
    await ask({ messages: [...talk, ...QUESTION.messages], thinking: "low" });
    expect(simulator.calls().misshapen).toBe(before);
  });

  it("takes a schema as an expert writes it, beyond what every vendor knows", async () => {
    const verdict = z.object({
      verdict: z.union([z.literal("met"), z.literal("unknown")]),
      confidence: z.number().min(0).max(1),
      articles: z.array(z.string().min(1).max(4000)).max(5),
      since: z.iso.date().optional(),
      remedy: z.string().nullable(),
      nested: z.object({ steps: z.array(z.object({ title: z.string(), minutes: z.int().positive() })) }).optional(),
    });
    const { json } = await ask({ schema: z.toJSONSchema(verdict) });
    expect(verdict.parse(json)).toEqual(json);
  });

  it("streams the text as it comes, then the result", async () => {
    const parts: ModelPart[] = [];
    for await (const part of model().generate(QUESTION, never)) parts.push(part);
    const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
    const last = parts.at(-1);
    expect(texts.length).toBeGreaterThan(1);
    expect(last).toMatchObject({ type: "result", result: { text: texts.join("") } });
    expect(parts.filter(({ type }) => type === "result")).toHaveLength(1);
  });

  it("tells what the vendor's cache spared", async () => {
    const request = { system: longSystem(vendor), cacheKey: "expert-quality/1" };
    const first = await ask(request);
    const second = await ask(request);
    expect(first.usage.cachedInput).toBe(0);
    expect(second.usage.cachedInput).toBeGreaterThan(1024);
    expect(second.usage.input).toBe(first.usage.input);
    expect(first.usage.cacheWriteInput > 0).toBe(vendor === "anthropic");
  });

  it("tells a refusal apart from an answer, and counts it", async () => {
    const result = await ask({ schema: FINDINGS }, "refusal");
    expect(result).toMatchObject({ stopReason: "refusal", refusal: expect.stringMatching(/./) });
    expect(result.json).toBeUndefined();
    expect(result.usage.input).toBeGreaterThan(0);
  });

  it("says where the answer reached its greatest length", async () => {
    // 16 is the least that OpenAI takes.
    const request = { messages: [user('{"id": "E-1"} {"id": "E-2"} {"id": "E-3"}')], maxOutputTokens: 16 };
    const { text, stopReason } = await ask(request);
    expect({ text, stopReason }).toEqual({
      text: "This is the simulator. It read 3 pieces of evidence: E-1, E-2, E",
      stopReason: "length",
    });
    const error = await errorOf(ask({ ...request, schema: FINDINGS }));
    expect(error).toMatchObject({ kind: "malformed", code: "answer_cut_at_max_output_tokens" });
  });

  const ERRORS: readonly [faults: string, kind: ModelErrorKind, more: object][] = [
    ["rate-limit=7", "rate_limited", { status: 429, retryable: true, retryAfterMs: 7000 }],
    ["error", "overloaded", { status: 500, retryable: true }],
    ["overloaded", "overloaded", { status: vendor === "anthropic" ? 529 : 503, retryable: true }],
    ["page", "overloaded", { status: 502, retryable: true }],
    ["timeout", "timeout", { status: 504, retryable: true }],
    ["unauthorized", "authentication", { retryable: false }],
    ["invalid", "invalid_request", { status: 400, retryable: false }],
    ["refused-prompt", "refused", { retryable: false }],
    ["cut=0", "cut", { retryable: true }],
    ["cut=700", "cut", { retryable: true }],
    ["stop", "cut", { retryable: true }],
    ["stream-error", "overloaded", { retryable: true }],
    ["malformed-stream", "malformed", { retryable: false }],
    [
      "malformed",
      "malformed",
      { code: "answer_is_no_json", usage: expect.objectContaining({ output: expect.any(Number) }) },
    ],
    ["wrong-schema", "malformed", { code: "answer_breaks_schema" }],
    ["huge=5000000", "malformed", { code: "answer_too_long" }],
  ];
  it.each(ERRORS)("%s ends as %s", async (faults, kind, more) => {
    const seen = await watched(() => errorOf(ask({ schema: FINDINGS }, faults)));
    expect(seen.value).toMatchObject({ kind, ...more });
    expect(seen.shown).toBe("");
  });

  it("calls once: whoever guards it retries, not the SDK", async () => {
    const before = simulator.calls().total;
    await errorOf(ask({}, "error"));
    await errorOf(ask({}, "rate-limit=0"));
    expect(simulator.calls().total).toBe(before + 2);
  });

  it.each(["hang", "slow=60000", "drip=50"])(
    "closes the connection within a second of a cancellation (%s)",
    async (faults) => {
      const { abandoned } = simulator.calls();
      const caller = new AbortController();
      const call = errorOf(resultOf(model(faults).generate(QUESTION, caller.signal)));
      await expect.poll(() => simulator.calls().open).toBe(1);
      const cancelledAt = performance.now();
      caller.abort();
      expect(await call).toMatchObject({ kind: "cancelled", retryable: false });
      await expect.poll(() => simulator.calls().abandoned, { interval: 10 }).toBe(abandoned + 1);
      expect(performance.now() - cancelledAt).toBeLessThan(1000);
      expect(simulator.calls().open).toBe(0);
    },
  );

  it("closes the connection where nobody reads on", async () => {
    const { abandoned } = simulator.calls();
    for await (const part of model("drip=2").generate(QUESTION, never)) if (part.type === "text") break;
    await expect.poll(() => simulator.calls().abandoned).toBe(abandoned + 1);
  });

  it("tells a timeout of the caller from its cancellation", async () => {
    const late = resultOf(model("hang").generate(QUESTION, AbortSignal.timeout(100)));
    expect(await errorOf(late)).toMatchObject({ kind: "timeout", retryable: true });
  });

  it("sends nothing for a caller who has left", async () => {
    const before = simulator.calls().total;
    expect(await errorOf(resultOf(model().generate(QUESTION, AbortSignal.abort())))).toMatchObject({
      kind: "cancelled",
    });
    expect(simulator.calls().total).toBe(before);
  });

  it("says that nobody listens", async () => {
    const gone = await startSimulator();
    await gone.close();
    const error = await errorOf(resultOf(simulated({ vendor, url: gone.url }).generate(QUESTION, never)));
    expect(error).toMatchObject({ kind: "unreachable", code: "ECONNREFUSED", retryable: true });
  });

  it("sends the key in a header, and nothing about this machine", async () => {
    const sent: { url: string; headers: Headers }[] = [];
    const spy: typeof fetch = (input, init) => {
      sent.push({ url: String(input), headers: new Headers(init?.headers) });
      return fetch(input, init);
    };
    vi.stubEnv(vendor === "anthropic" ? "ANTHROPIC_CUSTOM_HEADERS" : "OPENAI_CUSTOM_HEADERS", "x-from-environment: 1");
    await resultOf(simulated({ vendor, url: simulator.url, fetch: spy }).generate(QUESTION, never));
    vi.unstubAllEnvs();
    const [request] = sent;
    expect(sent).toHaveLength(1);
    expect(request?.url).not.toContain(CANARY);
    expect([...(request?.headers.values() ?? [])].join("\n")).toContain(CANARY);
    expect(
      [...(request?.headers.keys() ?? [])].filter((name) => /stainless|goog-api-client|environment/.test(name)),
    ).toEqual([]);
  });
});

/** What a call gives, and all that was written to the console and the process's streams meanwhile. */
async function watched<T>(call: () => Promise<T>): Promise<{ value: T; shown: string }> {
  const shown: string[] = [];
  const note = (...what: unknown[]): boolean => shown.push(inspect(what, { depth: 9 })) > 0;
  const spies = [
    ...(["log", "info", "warn", "error", "debug"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(note),
    ),
    vi.spyOn(process.stdout, "write").mockImplementation(note),
    vi.spyOn(process.stderr, "write").mockImplementation(note),
  ];
  try {
    return { value: await call(), shown: shown.join("\n") };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
