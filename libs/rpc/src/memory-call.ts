import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";

/** What the caller said of a call, beside its message. */
export interface CallInit {
  readonly method: DescMethod;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds until the deadline; none where absent or not positive. */
  readonly timeoutMs: number | undefined;
  readonly header: ConstructorParameters<typeof Headers>[0];
}

/** One for all calls: an abort makes an exception with a stack else, and most calls end well. */
const ENDED = new DOMException("the call has ended", "AbortError");

/**
 * A call in this process: its deadline, its signal, and the context that the handler sees. Only what is asked for is made, for a
 * controller or a Headers each cost more than all the rest of a call.
 */
export class MemoryCall implements HandlerContext {
  readonly method: DescMethod;
  readonly requestMethod = "POST";
  readonly protocolName = "connect";
  #init: CallInit;
  #dueMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #over = false;
  #failure: ConnectError | undefined;
  #waiting = new Set<(error: ConnectError) => void>();
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;

  constructor(init: CallInit) {
    this.#init = init;
    this.method = init.method;
    const { signal, timeoutMs } = init;
    if (signal?.aborted) this.#fail(signal.reason);
    else signal?.addEventListener("abort", this.#leave);
    if (timeoutMs !== undefined && timeoutMs > 0 && !this.#over) {
      this.#dueMs = performance.now() + timeoutMs;
      this.#timer = setTimeout(() => this.#fail(late()), timeoutMs);
    }
  }

  get service(): DescService {
    return this.method.parent;
  }

  get url(): string {
    return `https://in-memory/${this.service.typeName}/${this.method.name}`;
  }

  /** Aborted when the caller leaves, at the deadline, and when the call has ended. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over && !this.#controller.signal.aborted) this.#controller.abort(this.#failure ?? ENDED);
    return this.#controller.signal;
  }

  readonly timeoutMs = (): number | undefined =>
    this.#dueMs === undefined ? undefined : this.#dueMs - performance.now();

  get requestHeader(): Headers {
    this.#requestHeader ??= new Headers(this.#init.header);
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  get values(): ContextValues {
    this.#values ??= createContextValues();
    return this.#values;
  }

  /** What the handler has set so far, headers and trailers as one; nothing where it has set none. */
  get answered(): Headers | undefined {
    if (!this.#responseHeader && !this.#responseTrailer) return undefined;
    const all = new Headers(this.#responseHeader);
    this.#responseTrailer?.forEach((value, name) => {
      all.append(name, value);
    });
    return all;
  }

  /** The context of a handler behind interceptors, which may have replaced parts of the request. */
  behind(request: UnaryRequest | StreamRequest): HandlerContext {
    const { responseHeader, responseTrailer, timeoutMs, requestMethod, protocolName, url, method } = this;
    return {
      method,
      url,
      protocolName,
      requestMethod,
      timeoutMs,
      responseHeader,
      responseTrailer,
      service: request.service,
      signal: request.signal,
      requestHeader: request.header,
      values: request.contextValues,
    };
  }

  /** Takes what interceptors have made of headers and trailers. */
  adopt({ header, trailer }: UnaryResponse | StreamResponse): void {
    this.#responseHeader = header;
    this.#responseTrailer = trailer;
  }

  /** Why the caller waits no longer: it left, or the deadline passed. */
  get failure(): ConnectError | undefined {
    return this.#failure;
  }

  /** Work that is not waited for beyond the deadline, nor when the caller has left. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, refuse) => {
      if (this.#failure) {
        refuse(this.#failure);
        // Nobody waits for it any more; its own error has no one left to hear it.
        work.catch(() => undefined);
        return;
      }
      this.#waiting.add(refuse);
      work.then(
        (value) => {
          this.#waiting.delete(refuse);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(refuse);
          refuse(error);
        },
      );
    });
  }

  /** The call has ended, well or by the handler's error. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#init.signal?.removeEventListener("abort", this.#leave);
    this.#controller?.abort(this.#failure ?? ENDED);
  }

  #leave = (): void => this.#fail(this.#init.signal?.reason);

  #fail(reason: unknown): void {
    if (this.#over) return;
    this.#failure = ConnectError.from(reason, Code.Canceled);
    this.end();
    for (const refuse of this.#waiting) refuse(this.#failure);
  }
}

function late(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}
