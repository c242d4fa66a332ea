/** Calls of models against a simulator, for tests. */
import { inspect } from "node:util";
import { createModel } from "../create-model.ts";
import type { Model, ModelMessage, ModelRequest } from "../model.ts";
import { type ModelConfig, parseModelConfig, readModelConfig, type Vendor } from "../model-config.ts";
import { ModelError } from "../model-error.ts";
import { Secret } from "../secret.ts";

/** In every key of these tests; it must never be seen again. */
export const CANARY = "canary-5f1c0de9";

/** The alias by which each vendor is called. */
export const ALIASES: Readonly<Record<Vendor, string>> = {
  openai: "gpt-5.2-thinking",
  anthropic: "claude-opus-4.6",
  google: "gemini-3",
  compatible: "local",
};

export const QUESTION: ModelRequest = {
  system: "You judge data.",
  messages: [user('Look at {"id": "E-1", "nulls": 12}.')],
  maxOutputTokens: 1000,
};

export const FINDINGS = {
  type: "object",
  additionalProperties: false,
  required: ["findings"],
  properties: {
    findings: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["title", "evidence", "severity"],
        properties: {
          title: { type: "string" },
          evidence: { type: "array", items: { type: "string" } },
          severity: { enum: ["info", "warning", "error"] },
        },
      },
    },
  },
} as const;

export interface SimulatedOptions {
  readonly vendor: Vendor;
  /** Of the simulator. */
  readonly url: string;
  /** As in the suffix of a key. */
  readonly faults?: string;
  readonly fetch?: typeof fetch;
}

/** A model behind which a simulator answers. */
export function simulated({ vendor, url, faults, fetch }: SimulatedOptions): Model {
  const baseUrl = vendor === "openai" || vendor === "compatible" ? `${url}/v1` : url;
  const key = new Secret(faults === undefined ? CANARY : `${CANARY}--${faults}`);
  return createModel(ALIASES[vendor], { config: withLocal(readModelConfig()), key, baseUrl, fetch });
}

/** The configuration with a server of one's own in it. */
function withLocal(config: ModelConfig): ModelConfig {
  const local = {
    vendor: "compatible",
    id: "qwen3:8b",
    thinking: "off",
    contextTokens: 32_768,
    maxOutputTokens: 8192,
    prices: null,
  };
  return parseModelConfig(JSON.stringify({ ...config, models: { ...config.models, local } }));
}

export function user(text: string): ModelMessage {
  return { role: "user", content: [{ type: "text", text }] };
}

/** The error with which a call ends, which is also searched for the canary: message, fields, stack, causes. */
export async function errorOf(promise: Promise<unknown>): Promise<ModelError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  const all = `${inspect(thrown, { depth: 9, showHidden: true })} ${JSON.stringify(thrown)}`;
  if (all.includes(CANARY)) throw new Error("the error holds the key");
  if (thrown instanceof ModelError) return thrown;
  throw new Error("the call did not end with a ModelError", { cause: thrown });
}
