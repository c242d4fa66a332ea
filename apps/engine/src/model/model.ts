/** What the engine knows of an LLM: one request, a stream of text, one result. Vendors differ behind it, never in front of it. */

/** A JSON Schema (draft 2020-12) of the answer; its root is an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A piece of a message. Evidence is text by the time it arrives here: masked, delimited and counted. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

export interface ModelMessage {
  readonly role: "user" | "assistant";
  readonly content: readonly TextPart[];
}

/** How much a model thinks before it answers; each backend takes the nearest that its vendor offers. */
export type Thinking = "off" | "low" | "medium" | "high";

export interface ModelRequest {
  readonly system?: string;
  /** At least one; the last is the user's. */
  readonly messages: readonly ModelMessage[];
  /** Where given, the answer is JSON that fits it, or the call ends with a `malformed` ModelError. */
  readonly schema?: JsonSchema;
  /** Tokens, thinking included. */
  readonly maxOutputTokens: number;
  /** The default of the model's configuration where absent. */
  readonly thinking?: Thinking;
  /** Requests with the same key begin with the same system text, which the vendor may therefore keep. */
  readonly cacheKey?: string;
}

/** Tokens, as the vendor counted them. */
export interface Usage {
  /** All of the prompt, whatever came from a cache included. */
  readonly input: number;
  /** The part of `input` that was read from the vendor's cache. */
  readonly cachedInput: number;
  /** The part of `input` that was written to the vendor's cache; 0 where the vendor does not charge for that. */
  readonly cacheWriteInput: number;
  /** All of the answer, thinking included. */
  readonly output: number;
  /** The part of `output` that was thinking. */
  readonly reasoning: number;
}

/** `complete`: the model was done; `length`: maxOutputTokens were used up; `refusal`: it, or its vendor's filter, declined. */
export type StopReason = "complete" | "length" | "refusal";

export interface ModelResult {
  readonly text: string;
  /** The answer by `schema`; absent without one and after a refusal. */
  readonly json?: unknown;
  /** Undefined where the server does not count, which is not the same as nothing. */
  readonly usage: Usage | undefined;
  readonly stopReason: StopReason;
  /** Why the model declined, in its own words or as the vendor's category; only with stopReason `refusal`. */
  readonly refusal?: string;
  /** The model that answered, by the name it gave itself. */
  readonly model: string;
}

/** `alive`: the vendor sent something that is no text of the answer (thinking, a heartbeat), so it is not stuck. */
export type ModelPart =
  | { readonly type: "alive" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "result"; readonly result: ModelResult };

export interface Model {
  /** The name in models.json. */
  readonly alias: string;
  /**
   * One call. There are no retries and no timeouts in here: the caller's signal ends it, a `TimeoutError` as its reason as `timeout`.
   * Ending the iteration early ends the call as well; either closes the connection.
   * @returns parts, of which the last, and only the last, is the result.
   * @throws ModelError, and nothing else.
   */
  generate(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart>;
}

/** The result of a call whose text nobody watches. @throws ModelError */
export async function resultOf(parts: AsyncIterable<ModelPart>): Promise<ModelResult> {
  for await (const part of parts) if (part.type === "result") return part.result;
  throw new Error("a model ended without a result and without an error");
}
