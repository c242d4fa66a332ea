import { ModelError } from "./model-error.ts";
import { vendorFault } from "./vendor-fault.ts";

/** One HTTP call of one SDK. It decides what leaves, sees what comes back, and names what went wrong. */
export interface Exchange {
  /** For the SDK, in place of the global one. An answer other than 2xx throws. */
  readonly fetch: typeof fetch;
  /** For the SDK: aborted by the caller and by close. */
  readonly signal: AbortSignal;
  /** Whatever an SDK threw, as what it was. */
  errorOf(thrown: unknown): ModelError;
  /** An error that the vendor sent as an event of its stream: `{error: …}`, in the vendor's own shape. */
  faultOf(body: unknown): ModelError;
  /** Closes the connection. */
  close(): void;
}

export interface ExchangeOptions {
  /** The model's alias, for errors. */
  readonly model: string;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/** What a vendor needs. The SDKs would also tell it of this machine, and add headers from its environment. */
const SENT_HEADERS = [
  "accept",
  "anthropic-beta",
  "anthropic-version",
  "authorization",
  "content-type",
  "user-agent",
  "x-api-key",
  "x-goog-api-key",
];
/** Of a vendor's error only the beginning is read. */
const ERROR_BYTES = 65_536;

/** A stream of the longest answer, token by token, is about half of it. */
const RESPONSE_BYTES = 67_108_864;
/** The SDKs keep a line until it is complete, and one of them searches it anew with each packet. */
const LINE_BYTES = 8_388_608;

/** Opens an exchange; to be closed, whatever happens. */
export function openExchange({ model, fetch: send, signal: caller }: ExchangeOptions): Exchange {
  const closing = new AbortController();
  const signal = AbortSignal.any([caller, closing.signal]);
  let stage: "prepared" | "sent" | "answered" = "prepared";
  let fault: ModelError | undefined;

  async function exchange(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    stage = "sent";
    const response = await send(input, {
      ...init,
      headers: onlySent(init?.headers),
      // A redirect would carry the key to a place that nobody configured.
      redirect: "error",
      signal: init?.signal ? AbortSignal.any([signal, init.signal]) : signal,
    });
    if (!response.ok) {
      const { status, headers } = response;
      fault = vendorFault({ model, status, headers, body: await errorBody(response), nowMs: Date.now() });
      throw fault;
    }
    stage = "answered";
    return measured(response, () => {
      fault = new ModelError("malformed", { model, code: "response_too_large" });
      return fault;
    });
  }

  function errorOf(thrown: unknown): ModelError {
    if (thrown instanceof ModelError) return thrown;
    if (fault) return fault;
    if (caller.aborted) return new ModelError(isTimeout(caller.reason) ? "timeout" : "cancelled", { model });
    // The SDK refused to send what it was given, or no such header or address can be.
    if (stage === "prepared") return new ModelError("invalid_request", { model, code: "not_sent" });
    const code = systemCode(thrown);
    if (code !== undefined && /TIMEOUT|TIMEDOUT/.test(code)) return new ModelError("timeout", { model, code });
    return stage === "sent" ? new ModelError("unreachable", { model, code }) : inStream(thrown, model);
  }

  const faultOf = (body: unknown): ModelError => vendorFault({ model, body, nowMs: Date.now() });
  return { fetch: exchange, signal, errorOf, faultOf, close: () => closing.abort() };
}

/** A fault within a stream that began well: the vendor's own, unreadable bytes, or the end of the connection. */
function inStream(thrown: unknown, model: string): ModelError {
  if (chain(thrown).some((error) => error instanceof SyntaxError)) {
    return new ModelError("malformed", { model, code: "stream_unreadable" });
  }
  const body = bodyOf(thrown);
  if (body !== undefined) return vendorFault({ model, body, nowMs: Date.now() });
  return new ModelError("cut", { model, code: systemCode(thrown) });
}

/** The event of which an SDK made its error: OpenAI and Anthropic keep it as `error`, Gemini as the message. */
function bodyOf(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return undefined;
  const kept = "error" in thrown ? thrown.error : undefined;
  if (typeof kept === "object" && kept !== null) return "error" in kept ? kept : { error: kept };
  if (!("status" in thrown) || typeof thrown.status !== "number") return undefined;
  return parsed(thrown.message.slice(Math.max(0, thrown.message.indexOf("{")))) ?? { error: { code: thrown.status } };
}

/** A response that errors where it, or one line of it, grows beyond all measure. */
function measured({ body, status, headers }: Response, tooLarge: () => ModelError): Response {
  let size = 0;
  let line = 0;
  const measure = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, stream) {
      const lineEnd = chunk.lastIndexOf(0x0a);
      size += chunk.byteLength;
      line = lineEnd < 0 ? line + chunk.byteLength : chunk.byteLength - lineEnd - 1;
      if (size > RESPONSE_BYTES || line > LINE_BYTES) stream.error(tooLarge());
      else stream.enqueue(chunk);
    },
  });
  return new Response(body?.pipeThrough(measure) ?? null, { status, headers });
}

function onlySent(headers: RequestInit["headers"]): Headers {
  const all = new Headers(headers);
  const kept = new Headers();
  for (const name of SENT_HEADERS) {
    const value = all.get(name);
    if (value !== null) kept.set(name, value);
  }
  return kept;
}

async function errorBody(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= ERROR_BYTES) break;
  }
  return parsed(Buffer.concat(chunks).toString("utf8"));
}

/** JSON, or undefined: a proxy on the way may answer with a page. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/** An error and its causes, at most eight. */
function chain(thrown: unknown): unknown[] {
  const errors: unknown[] = [];
  for (let error = thrown; error !== undefined && errors.length < 8; ) {
    errors.push(error);
    error = error instanceof Error ? error.cause : undefined;
  }
  return errors;
}

/** `ECONNREFUSED` and the like, which tell an operator what to look at. */
function systemCode(thrown: unknown): string | undefined {
  return chain(thrown)
    .map((error) => (error instanceof Error && "code" in error ? error.code : undefined))
    .find((code): code is string => typeof code === "string" && /^[A-Z][A-Z_0-9]{2,40}$/.test(code));
}
