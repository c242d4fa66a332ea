import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { errorFromJson, errorToJson } from "@connectrpc/connect/protocol-connect";
import { MAX_MESSAGE_DEPTH } from "./decode.ts";
import type { Routes } from "./handler.ts";
import { MemoryCall } from "./memory-call.ts";

type AnyRequest = UnaryRequest | StreamRequest;
type AnyResponse = UnaryResponse | StreamResponse;
type Init = MessageInitShape<DescMessage>;

/** A method with the interceptors around it. */
interface Served {
  readonly input: DescMessage;
  readonly output: DescMessage;
  /** The call comes with its request, for it is the context of the handler unless an interceptor has changed the request. */
  readonly answer: (request: AnyRequest, call: MemoryCall) => Promise<AnyResponse>;
}

/**
 * A transport to services in this very process. It does what Connect's router transport does, without a protocol between: messages
 * are encoded and decoded, so that caller and handler share nothing and may come with descriptors of their own; errors arrive as
 * they would over a wire, without their cause; deadline, signal, headers and trailers work. Both pass the same tests.
 *
 * @param interceptors Those of the server, the outermost first.
 */
export function memoryTransport(routes: Routes, interceptors: readonly Interceptor[] = []): Transport {
  const methods = collect(routes, interceptors);
  const find = (method: DescMethod): Served => {
    const served = methods.get(pathOf(method));
    if (!served) throw new ConnectError(`no handler is registered for ${pathOf(method)}`, Code.Unimplemented);
    return served;
  };
  return {
    async unary(method, signal, timeoutMs, header, input) {
      const call = new MemoryCall({ method, signal, timeoutMs, header });
      try {
        const served = find(method);
        const message = carry(method.input, served.input, input);
        const response = await call.race(served.answer(requestOf(call, { stream: false, method, message }), call));
        const answer = carry(served.output, method.output, response.message as Message);
        return responseOf(call, { stream: false as const, method, message: answer });
      } catch (error) {
        throw received(error, call);
      } finally {
        call.end();
      }
    },
    async stream(method, signal, timeoutMs, header, input) {
      const call = new MemoryCall({ method, signal, timeoutMs, header });
      let message: Answers<MessageShape<typeof method.output>>;
      try {
        const served = find(method);
        const questions = carryAll(input, (one) => carry(method.input, served.input, one));
        const response = await call.race(
          served.answer(requestOf(call, { stream: true, method, message: questions }), call),
        );
        const arrive = (one: Message) => carry(served.output, method.output, one);
        message = new Answers(call, response.message as AsyncIterable<Message>, arrive);
      } catch (error) {
        call.end();
        throw received(error, call);
      }
      // A handler may set headers up to its first answer, so they are whole only then.
      await message.begin();
      return responseOf(call, { stream: true as const, method, message });
    },
  };
}

function pathOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

function collect(routes: Routes, interceptors: readonly Interceptor[]): Map<string, Served> {
  const methods = new Map<string, Served>();
  const add = (spec: MethodImplSpec, own: readonly Interceptor[] = []) =>
    methods.set(pathOf(spec.method), serve(spec, [...interceptors, ...own]));
  const router: ConnectRouter = {
    handlers: [],
    service(service, implementation, options) {
      const { methods } = createServiceImplSpec(service, implementation);
      for (const spec of Object.values(methods)) add(spec, options?.interceptors);
      return router;
    },
    rpc(method, implementation, options) {
      add(createMethodImplSpec(method, implementation), options?.interceptors);
      return router;
    },
  };
  routes(router);
  return methods;
}

function serve(spec: MethodImplSpec, interceptors: readonly Interceptor[]): Served {
  const { input, output } = spec.method;
  const answer = async (request: AnyRequest, call: MemoryCall): Promise<AnyResponse> => {
    let own: AnyResponse | undefined;
    const perform = async (seen: AnyRequest) => {
      const message = await invoke(spec, seen.message, seen === request ? call : call.behind(seen));
      own = responseOf(call, { stream: seen.stream, method: seen.method, message }) as AnyResponse;
      return own;
    };
    const response = await interceptors.reduceRight((next, around) => around(next), perform as Next)(request);
    if (response !== own) call.adopt(response);
    return response;
  };
  return { input, output, answer };
}

type Next = Parameters<Interceptor>[0];

/** Calls the handler. Its answers are whole messages, as interceptors expect them. */
async function invoke(spec: MethodImplSpec, message: AnyRequest["message"], context: HandlerContext) {
  const { output } = spec.method;
  const stream = message as AsyncIterable<Message>;
  switch (spec.kind) {
    case "unary":
      return create(output, await spec.impl(message as Message, context));
    case "server_streaming":
      return carryAll(spec.impl(await single(stream), context), (one) => create(output, one));
    case "client_streaming":
      return only(create(output, await spec.impl(stream, context)));
    case "bidi_streaming":
      return carryAll(spec.impl(stream, context), (one) => create(output, one));
  }
}

async function* only<T>(item: T): AsyncIterable<T> {
  yield item;
}

async function single(messages: AsyncIterable<Message>): Promise<Message> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) throw new ConnectError("the call brings no message", Code.Unimplemented);
  if (!(await iterator.next()).done)
    throw new ConnectError("the call brings more than one message", Code.Unimplemented);
  return first.value;
}

/** Maps without a generator: one per stream and direction would be the dearest part of a call. */
function carryAll<A, B>(items: AsyncIterable<A>, carryOne: (item: A) => B): AsyncIterable<B> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]();
      const map = (result: IteratorResult<A>): IteratorResult<B> =>
        result.done ? result : { done: false, value: carryOne(result.value) };
      return {
        next: () => iterator.next().then(map),
        return: async () => {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** The bytes of a message are all that crosses. */
function carry<O extends DescMessage>(from: DescMessage, to: O, message: Init): MessageShape<O> {
  return fromBinary(to, encode(from, message), { recursionLimit: MAX_MESSAGE_DEPTH });
}

function encode(schema: DescMessage, message: Init): Uint8Array {
  try {
    return toBinary(schema, create(schema, message));
  } catch (error) {
    throw new ConnectError(error instanceof Error ? error.message : String(error), Code.Internal);
  }
}

interface Sent<M> {
  readonly stream: boolean;
  readonly method: DescMethod;
  readonly message: M;
}

/** What interceptors see of a request; the dear parts are made when they look. */
function requestOf(call: MemoryCall, { stream, method, message }: Sent<unknown>): AnyRequest {
  return {
    stream,
    method,
    message,
    service: method.parent,
    requestMethod: call.requestMethod,
    get url() {
      return call.url;
    },
    get signal() {
      return call.signal;
    },
    get header() {
      return call.requestHeader;
    },
    get contextValues() {
      return call.values;
    },
  } as AnyRequest;
}

function responseOf<S extends Sent<unknown>>(call: MemoryCall, { stream, method, message }: S) {
  return {
    stream: stream as S["stream"],
    method: method as S["method"],
    message: message as S["message"],
    service: method.parent,
    get header() {
      return call.responseHeader;
    },
    get trailer() {
      return call.responseTrailer;
    },
  };
}

/** The answers of a handler as the caller reads them. */
class Answers<T> implements AsyncIterable<T> {
  #call: MemoryCall;
  #answers: AsyncIterator<Message>;
  #arrive: (message: Message) => T;
  #first: IteratorResult<T> | undefined;

  constructor(call: MemoryCall, answers: AsyncIterable<Message>, arrive: (message: Message) => T) {
    this.#call = call;
    this.#answers = answers[Symbol.asyncIterator]();
    this.#arrive = arrive;
  }

  /** Waits for the first answer. @throws ConnectError where the handler fails before it. */
  async begin(): Promise<void> {
    this.#first = await this.#pull();
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return { next: () => this.#next(), return: () => this.#leave() };
  }

  #next(): Promise<IteratorResult<T>> {
    const first = this.#first;
    if (!first) return this.#pull();
    this.#first = undefined;
    return Promise.resolve(first);
  }

  async #pull(): Promise<IteratorResult<T>> {
    try {
      const result = await this.#call.race(this.#answers.next());
      if (!result.done) return { done: false, value: this.#arrive(result.value) };
      this.#call.end();
      return { done: true, value: undefined };
    } catch (error) {
      this.#call.end();
      this.#close();
      throw received(error, this.#call);
    }
  }

  async #leave(): Promise<IteratorResult<T>> {
    this.#call.end();
    this.#close();
    return { done: true, value: undefined };
  }

  /** Not awaited: the return of a handler that hangs would hang as well. Its error has no one left to hear it. */
  #close(): void {
    this.#answers.return?.().catch(() => undefined);
  }
}

/** An error as it would arrive over a wire: with its details as bytes, and nothing of an error that is no ConnectError. */
function received(error: unknown, call: MemoryCall): ConnectError {
  if (call.failure) return call.failure;
  const shown = error instanceof ConnectError ? error : new ConnectError("internal error", Code.Internal);
  const metadata = new Headers(call.answered);
  shown.metadata.forEach((value, name) => {
    metadata.append(name, value);
  });
  return errorFromJson(errorToJson(shown, undefined), metadata, new ConnectError("internal error", Code.Internal));
}
