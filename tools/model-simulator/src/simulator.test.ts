import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFaults } from "./fault.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function post(path: string, body: unknown, key = "k"): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(simulator.url + path, { method: "POST", headers, body: text });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const RESPONSES = "/v1/responses";
const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";
const GEMINI = "/v1beta/models/gemini-3:generateContent";
const schema = { type: "object", additionalProperties: false, properties: { n: { type: "integer" } }, required: ["n"] };

const RIGHT: readonly [path: string, body: Record<string, unknown>][] = [
  [RESPONSES, { model: "gpt-5.2", input: "hi" }],
  [CHAT, { model: "gpt-5.2", messages: [{ role: "user", content: "hi" }] }],
  [MESSAGES, { model: "claude-opus-4-6", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }],
  [GEMINI, { contents: [{ parts: [{ text: "hi" }] }] }],
];

describe("the simulator", () => {
  it.each(RIGHT)("names itself as the model (%s)", async (path, body) => {
    const { status, text } = await post(path, body);
    expect(status).toBe(200);
    expect(text).toMatch(/"model(Version)?":"simulator\//);
  });

  it.each(RIGHT)("answers the same to the same (%s)", async (path, body) => {
    expect((await post(path, body)).text).toBe((await post(path, body)).text);
  });

  it.each([
    [RESPONSES, { model: "gpt-5.2", input: "hi", strem: true }, /strem/],
    [RESPONSES, { model: "gpt-5.2", input: "hi", max_output_tokens: "many" }, /max_output_tokens/],
    [RESPONSES, { model: "gpt-5.2", input: "hi", reasoning: { effort: "a lot" } }, /effort/],
    [CHAT, { model: "gpt-5.2" }, /messages/],
    [CHAT, { model: "gpt-5.2", messages: [{ role: "king", content: "hi" }] }, /messages/],
    [MESSAGES, { model: "c", messages: [{ role: "user", content: "hi" }] }, /max_tokens/],
    [MESSAGES, { model: "c", max_tokens: 9, messages: [{ role: "assistant", content: "hi" }] }, /user's/],
    [
      MESSAGES,
      {
        model: "c",
        max_tokens: 9,
        messages: [{ role: "user", content: "hi" }],
        output_config: { format: { type: "json_schema", schema: { ...schema, additionalProperties: true } } },
      },
      /open/,
    ],
    [GEMINI, { contents: [{ parts: [{ text: "hi" }] }], generation_config: {} }, /generation_config/],
    [
      GEMINI,
      { contents: [{ parts: [{ text: "hi" }] }], generationConfig: { responseJsonSchema: schema } },
      /application\/json/,
    ],
    [`${GEMINI}?key=k`, { contents: [{ parts: [{ text: "hi" }] }] }, /address/],
    [RESPONSES, "{", /body/],
  ])("refuses what breaks the published shape (%s %j)", async (path, body, why) => {
    const { misshapen } = simulator.calls();
    const { status, text } = await post(path, body);
    expect(status).toBe(400);
    expect(text).toMatch(why);
    expect(simulator.calls().misshapen).toBe(misshapen + 1);
  });

  it("wants a key", async () => {
    const response = await fetch(simulator.url + RESPONSES, { method: "POST", body: "{}" });
    expect(response.status).toBe(401);
    await response.body?.cancel();
  });

  it("fails as the key says", async () => {
    const [path, body] = RIGHT[0] ?? [RESPONSES, {}];
    const { status, headers, text } = await post(path, body, "k--rate-limit=2");
    expect({ status, wait: headers.get("retry-after") }).toEqual({ status: 429, wait: "2" });
    expect(text).toContain("k--rate-limit=2");
    expect((await post(path, body, "k--nonsense")).text).toContain("nonsense");
  });

  it("fails as planned, as often as planned", async () => {
    const [path, body] = RIGHT[1] ?? [CHAT, {}];
    simulator.plan("error", 2);
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await post(path, body)).status);
    expect(statuses).toEqual([500, 500, 200]);
  });

  it("is planned and asked from another process as well", async () => {
    const plan = (query: string) => post(`/_simulator/faults${query}`, "");
    expect((await plan("?faults=overloaded&times=1")).status).toBe(200);
    expect((await post(...(RIGHT[2] ?? [MESSAGES, {}]))).status).toBe(529);
    expect((await plan("?faults=sunshine")).text).toContain("sunshine");
    const counts: unknown = await (await fetch(`${simulator.url}/_simulator/calls`)).json();
    expect(counts).toEqual(simulator.calls());
  });

  it("counts calls by the second", async () => {
    const before = simulator.calls();
    await Promise.all(Array.from({ length: 20 }, () => post(...(RIGHT[3] ?? [GEMINI, {}]))));
    const { total, perSecond, open } = simulator.calls();
    expect({ total: total - before.total, open }).toEqual({ total: 20, open: 0 });
    expect(perSecond.reduce((sum, count) => sum + count, 0)).toBe(total);
  });
});

describe("faults", () => {
  it("are read from their names and values", () => {
    expect(parseFaults("rate-limit=2,slow=100,refusal")).toEqual({ "rate-limit": 2, slow: 100, refusal: true });
    expect(parseFaults("")).toEqual({});
  });

  it.each(["rain", "slow=fast", "cut=-1", "error=1"])("are refused by name where they make no sense (%s)", (text) => {
    expect(() => parseFaults(text)).toThrow(text.split("=")[0]);
  });
});
