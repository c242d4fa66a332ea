import { answerOf } from "./answer.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import type { Model, ModelPart, ModelRequest, StopReason, Usage } from "./model.ts";
import type { ModelSpec } from "./model-config.ts";
import { ModelError } from "./model-error.ts";
import type { Secret } from "./secret.ts";

/** What a vendor's stream says, event by event, in the words of all of them. */
export type Piece =
  | { readonly type: "alive" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "refusal"; readonly text: string }
  | { readonly type: "model"; readonly id: string }
  /** The newest counts; later ones replace earlier ones. */
  | { readonly type: "usage"; readonly usage: Usage }
  | { readonly type: "stop"; readonly reason: StopReason };

/** One vendor: a request in its terms, its stream in ours. */
export type Backend = (call: BackendCall) => AsyncIterable<Piece>;

export interface BackendCall {
  readonly spec: ModelSpec;
  readonly baseUrl: string;
  readonly key: Secret | undefined;
  readonly request: ModelRequest;
  readonly exchange: Exchange;
}

export interface BackendOptions {
  readonly alias: string;
  readonly spec: ModelSpec;
  readonly baseUrl: string;
  readonly key?: Secret;
  readonly fetch: typeof fetch;
}

/** Nobody reads a longer answer: 128,000 tokens are about half of it, in characters. */
const LONGEST_TEXT = 1_048_576;

/** A Model that speaks with one vendor. */
export function modelOf(backend: Backend, { alias, fetch: send, ...place }: BackendOptions): Model {
  async function* generate(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart, void> {
    const exchange = openExchange({ model: alias, fetch: send, signal });
    const heard = new Heard(alias);
    try {
      signal.throwIfAborted();
      const call: BackendCall = { ...place, key: place.key, request, exchange };
      for await (const piece of backend(call)) {
        signal.throwIfAborted();
        heard.take(piece);
        if (piece.type === "text" && piece.text !== "") yield piece;
        else yield { type: "alive" };
      }
      signal.throwIfAborted();
      yield { type: "result", result: answerOf(request, heard.ending()) };
    } catch (thrown) {
      throw exchange.errorOf(thrown).withUsage(heard.usage);
    } finally {
      exchange.close();
    }
  }
  return { alias, generate };
}

/** What a vendor said in the end. */
export interface Ending {
  readonly alias: string;
  readonly text: string;
  readonly refusal: string;
  readonly usage: Usage | undefined;
  readonly stopReason: StopReason;
  readonly model: string;
}

/** What was heard so far of one answer. */
class Heard {
  readonly #alias: string;
  #text = "";
  #refusal = "";
  #model: string | undefined;
  #stopReason: StopReason | undefined;
  usage: Usage | undefined;

  constructor(alias: string) {
    this.#alias = alias;
  }

  /** @throws ModelError where the answer grows beyond what anybody reads. */
  take(piece: Piece): void {
    if (piece.type === "text") this.#text += piece.text;
    else if (piece.type === "refusal") this.#refusal += piece.text;
    else if (piece.type === "model") this.#model = piece.id;
    else if (piece.type === "usage") this.usage = piece.usage;
    else if (piece.type === "stop") this.#stopReason = piece.reason;
    if (this.#text.length + this.#refusal.length > LONGEST_TEXT) {
      throw new ModelError("malformed", { model: this.#alias, code: "answer_too_long" });
    }
  }

  /** @throws ModelError where the stream ended before the answer did. */
  ending(): Ending {
    if (this.#stopReason === undefined) throw new ModelError("cut", { model: this.#alias });
    return {
      alias: this.#alias,
      text: this.#text,
      refusal: this.#refusal,
      usage: this.usage,
      stopReason: this.#refusal === "" ? this.#stopReason : "refusal",
      model: this.#model ?? this.#alias,
    };
  }
}
