import type { DescMethodServerStreaming, DescService, Message, MessageInitShape } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  createClient,
  type Interceptor,
  makeAnyClient,
  type StreamResponse,
  type Transport,
} from "@connectrpc/connect";
import type { Routes } from "./handler.ts";
import { memoryTransport } from "./memory-transport.ts";

/**
 * A client of services in this very process, over {@link memoryTransport}. What `createClient` makes of that transport behaves the
 * same, but each answer of a stream passes two generators there, which cost as much as all the rest of a call. Besides, a reader
 * who stops reading ends the call here.
 */
export function memoryClient<S extends DescService>(
  service: S,
  routes: Routes,
  interceptors: readonly Interceptor[] = [],
): Client<S> {
  const transport = memoryTransport(routes, interceptors);
  const client = createClient<DescService>(service, transport);
  return makeAnyClient(service, (method) => {
    if (method.methodKind !== "server_streaming") return client[method.localName] ?? null;
    return (input: MessageInitShape<typeof method.input>, options?: CallOptions) =>
      new Reading(open(transport, { method, input, options }), options);
  }) as Client<S>;
}

interface Call<M extends DescMethodServerStreaming> {
  method: M;
  input: MessageInitShape<M["input"]>;
  options: CallOptions | undefined;
}

async function open<M extends DescMethodServerStreaming>(
  transport: Transport,
  { method, input, options }: Call<M>,
): Promise<StreamResponse> {
  return transport.stream(method, options?.signal, options?.timeoutMs, options?.headers, new One(input));
}

/** One item as a stream. */
class One<T> implements AsyncIterableIterator<T, undefined> {
  #item: T | undefined;

  constructor(item: T) {
    this.#item = item;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#item;
    this.#item = undefined;
    return Promise.resolve(value === undefined ? { done: true, value: undefined } : { done: false, value });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The answers to a call, read once. */
class Reading implements AsyncIterableIterator<Message, undefined> {
  #response: Promise<StreamResponse>;
  #options: CallOptions | undefined;
  #answers: AsyncIterator<Message> | undefined;
  #trailer: Headers | undefined;

  constructor(response: Promise<StreamResponse>, options: CallOptions | undefined) {
    this.#response = response;
    this.#options = options;
    // Whoever reads hears of it; a call that nobody reads must not end the process.
    response.catch(() => undefined);
  }

  async next(): Promise<IteratorResult<Message, undefined>> {
    const answers = this.#answers ?? (await this.#begin());
    const result = await answers.next();
    if (!result.done) return result;
    if (this.#trailer) this.#options?.onTrailer?.(this.#trailer);
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Message, undefined>> {
    const answers = this.#answers ?? (await this.#begin());
    await answers.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #begin(): Promise<AsyncIterator<Message>> {
    const response = await this.#response;
    // Headers are made when they are looked at.
    if (this.#options?.onHeader) this.#options.onHeader(response.header);
    if (this.#options?.onTrailer) this.#trailer = response.trailer;
    this.#answers = response.message[Symbol.asyncIterator]();
    return this.#answers;
  }
}
