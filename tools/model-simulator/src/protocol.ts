/** One wire protocol of a vendor: how it asks, how it is answered, how it fails. */

/** A request, once it has been held against the vendor's published shape. */
export interface Ask {
  readonly model: string;
  readonly stream: boolean;
  readonly system: string;
  /** All messages, in their order. */
  readonly prompt: string;
  /** JSON Schema of the answer. */
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly maxOutputTokens: number;
  readonly thinks: boolean;
  /** Whether the system text may be kept for later requests. */
  readonly caches: boolean;
}

export interface Counts {
  /** All of the prompt. */
  readonly input: number;
  readonly cached: number;
  readonly written: number;
  /** All of the answer, thinking included. */
  readonly output: number;
  readonly reasoning: number;
}

export interface Reply {
  readonly id: string;
  /** Always begins with `simulator/`. */
  readonly model: string;
  /** The answer in the pieces in which it streams. */
  readonly deltas: readonly string[];
  readonly refusal?: string;
  /** Whether maxOutputTokens cut it off. */
  readonly cutOff: boolean;
  readonly counts: Counts;
}

/** One server-sent event; `data` is sent as it is. */
export interface Frame {
  readonly event?: string;
  readonly data: string;
}

export type FailureKind =
  | "rate_limited"
  | "quota"
  | "server_error"
  | "overloaded"
  | "timeout"
  | "unauthorized"
  | "invalid"
  | "refused";

export interface Failure {
  readonly kind: FailureKind;
  /** What the vendor would write in free text; it may quote the key, as some do. */
  readonly message: string;
  /** The field at fault. */
  readonly field?: string;
  readonly retryAfterSeconds?: number;
}

/** A request that its vendor would refuse, with every fault as `path: why`. */
export interface Misshapen {
  readonly faults: readonly string[];
}

export interface Protocol {
  readonly name: "openai" | "compatible" | "anthropic" | "google";
  /** Paths of requests. */
  readonly path: RegExp;
  read(url: URL, body: unknown): Ask | Misshapen;
  /** The body of an answer that does not stream. */
  whole(reply: Reply): unknown;
  frames(reply: Reply): readonly Frame[];
  /** An error inside a stream that began well. */
  errorFrame(failure: Failure): Frame;
  /** Status and body of an answer that is none. */
  failure(failure: Failure): { readonly status: number; readonly body: unknown };
}

export function json(event: string | undefined, data: unknown): Frame {
  return { event, data: JSON.stringify(data) };
}

export function textOf({ deltas }: Reply): string {
  return deltas.join("");
}

/** Roughly what the vendors' tokenisers make of English. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}
