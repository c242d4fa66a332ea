import OpenAI from "openai";
import type { Exchange } from "./exchange.ts";
import type { Secret } from "./secret.ts";

export interface OpenAIPlace {
  readonly baseUrl: string;
  readonly key: Secret | undefined;
  readonly exchange: Exchange;
}

/** The longest that a timer of Node can wait: about 24 days. The SDK has no way to say never. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** OpenAI's SDK for one call: it does not retry, time out, log, or look into the environment. */
export function openAIClient({ baseUrl, key, exchange }: OpenAIPlace): OpenAI {
  return new OpenAI({
    // Servers of one's own may need no key, but the SDK does.
    apiKey: key?.reveal() ?? "none",
    baseURL: baseUrl,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    fetch: exchange.fetch,
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    logLevel: "off",
  });
}
