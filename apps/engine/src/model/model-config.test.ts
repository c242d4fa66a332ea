import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createModel } from "./create-model.ts";
import { MODELS_FILE, parseModelConfig, readModelConfig } from "./model-config.ts";
import { ModelError } from "./model-error.ts";
import { Secret } from "./secret.ts";

const changed = (change: (config: ReturnType<typeof readModelConfig>) => void): string => {
  const config = readModelConfig();
  change(config);
  return JSON.stringify(config);
};

describe("models.json", () => {
  it("has every model that an expert names as its default", () => {
    const aliases = ["gpt-5.2-thinking", "gpt-5.2-instant", "claude-sonnet-4.6", "claude-opus-4.6", "gemini-3"];
    expect(Object.keys(readModelConfig().models)).toEqual(expect.arrayContaining(aliases));
  });

  it("names for every price where and when it was read", () => {
    for (const { prices } of Object.values(readModelConfig().models)) {
      expect(prices === null || (prices.source.startsWith("https://") && prices.date <= readModelConfig().date)).toBe(
        true,
      );
    }
  });

  it("holds no key", () => {
    expect(readFileSync(MODELS_FILE, "utf8")).not.toMatch(/sk-|AIza|api_?key/i);
  });

  it("is refused with all of its faults at once, each by its path", () => {
    const text = changed(({ models }) => {
      Object.assign(models["gemini-3"] ?? {}, { vendor: "gogle", colour: "blue" });
      Object.assign(models["claude-opus-4.6"]?.prices ?? {}, { output: -1, date: "yesterday" });
    });
    expect(() => parseModelConfig(text)).toThrow(
      /models\.claude-opus-4\.6\.prices\.output.*models\.claude-opus-4\.6\.prices\.date.*models\.gemini-3\.vendor.*colour/s,
    );
  });

  it.each([
    ["no JSON", "{", /is no JSON/],
    [
      "an address with a credential",
      changed(({ vendors }) => Object.assign(vendors.openai, { baseUrl: "https://a:b@c.example/" })),
      /openai\.baseUrl/,
    ],
    [
      "an address with a query",
      changed(({ vendors }) => Object.assign(vendors.google, { baseUrl: "https://c.example/?key=1" })),
      /google\.baseUrl/,
    ],
    [
      "an address that is no web address",
      changed(({ vendors }) => Object.assign(vendors.google, { baseUrl: "file:///etc" })),
      /google\.baseUrl/,
    ],
    [
      "an answer longer than the context",
      changed(({ models }) => Object.assign(models["gemini-3"] ?? {}, { contextTokens: 10 })),
      /models\.gemini-3\.maxOutputTokens: is larger than contextTokens/,
    ],
  ])("is refused with %s", (_name, text, why) => {
    expect(() => parseModelConfig(text)).toThrow(why);
  });
});

describe("a model of that file", () => {
  const config = readModelConfig();
  const refusal = (alias: string, key?: Secret) => {
    try {
      createModel(alias, { config, key });
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it.each(["gpt-6", "constructor", "__proto__", ""])("is not made for an alias that is not there (%j)", (alias) => {
    expect(refusal(alias, new Secret("k"))).toEqual(
      new ModelError("invalid_request", { model: alias, code: "unknown_model" }),
    );
  });

  it("is not made without the key that its vendor needs", () => {
    expect(refusal("gemini-3")).toMatchObject({ kind: "authentication", code: "no_key" });
  });
});
