import { inspect } from "node:util";

const REDACTED = "[redacted]";

/** A credential that shows itself nowhere: printed, logged, spread or serialised it is `[redacted]`. */
export class Secret {
  readonly #value: string;

  /** @throws RangeError where the value is empty or cannot stand in a header; the message does not repeat it. */
  constructor(value: string) {
    if (!/^[\x21-\x7e]+$/.test(value)) throw new RangeError("a key consists of one or more visible ASCII characters");
    this.#value = value;
  }

  /** The credential itself, for the header of a request and nothing else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
