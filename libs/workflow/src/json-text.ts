import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type IssueList, quote } from "./issue.ts";
import { MAX_DEPTH } from "./json-issues.ts";
import { type Path, pathText } from "./path.ts";
import { LineIndex, type SourceText } from "./source-text.ts";

/** Where a value begins in the text, or the key before it; and what lies in it. */
interface Place {
  offset: number;
  members?: Map<string, Place>;
  items?: Place[];
}

class Fault extends Error {
  readonly reason: Reason;
  readonly offset: number;

  constructor(reason: Reason, message: string, offset: number) {
    super(message);
    this.reason = reason;
    this.offset = offset;
  }
}

/**
 * Reads strict JSON (RFC 8259). Unlike JSON.parse it tells where things stand, refuses duplicate keys, and never quotes the text in a
 * message. Answers undefined where the text is no JSON; a duplicate key is reported, and the rest still read.
 */
export function readJson(text: string, issues: IssueList): SourceText | undefined {
  const lines = new LineIndex(text);
  const reader = new Reader(text, (path, key, offset) => {
    issues.add(
      pathText([...path, key]),
      Reason.MALFORMED_JSON,
      `The key ${quote(key)} stands here twice.`,
      lines.at(offset),
    );
  });
  try {
    const { json, place } = reader.document();
    return { json, locate: (path) => locate(place, path, lines) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    issues.add(pathText(reader.path), error.reason, error.message, lines.at(error.offset));
    return undefined;
  }
}

function locate(root: Place, path: Path, lines: LineIndex) {
  let place: Place | undefined = root;
  for (const step of path) place = typeof step === "number" ? place?.items?.[step] : place?.members?.get(step);
  return place === undefined ? undefined : lines.at(place.offset);
}

interface Read {
  json: JsonValue;
  place: Place;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\]|\\[\s\S])*"/y;
const WORDS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

class Reader {
  readonly path: (string | number)[] = [];
  #text: string;
  #at = 0;
  #onDuplicate: (path: Path, key: string, offset: number) => void;

  constructor(text: string, onDuplicate: (path: Path, key: string, offset: number) => void) {
    this.#text = text;
    this.#onDuplicate = onDuplicate;
  }

  document(): Read {
    const read = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#fault("The text goes on after its end.");
    return read;
  }

  #value(): Read {
    this.#space();
    const offset = this.#at;
    const char = this.#text[offset];
    if (char === undefined) throw this.#fault("The text ends too early.");
    if (this.path.length > MAX_DEPTH)
      throw new Fault(Reason.TOO_DEEP, `Nested deeper than ${MAX_DEPTH} levels.`, offset);
    if (char === "{") return this.#object(offset);
    if (char === "[") return this.#array(offset);
    return { json: char === '"' ? this.#string() : this.#scalar(), place: { offset } };
  }

  #object(offset: number): Read {
    const members = new Map<string, Place>();
    const entries: [string, JsonValue][] = [];
    this.#at++;
    for (let first = true; !this.#closes("}", first); first = false) {
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#fault("A key in double quotes is expected here.");
      const key = this.#string();
      if (members.has(key)) this.#onDuplicate(this.path, key, start);
      this.#space();
      if (this.#text[this.#at] !== ":") throw this.#fault('":" is expected here.');
      this.#at++;
      this.path.push(key);
      const { json, place } = this.#value();
      this.path.pop();
      members.set(key, { ...place, offset: start });
      entries.push([key, json]);
    }
    // fromEntries defines, it does not assign: a key `__proto__` stays plain data.
    const json: JsonObject = Object.fromEntries(entries);
    return { json, place: { offset, members } };
  }

  #array(offset: number): Read {
    const items: Place[] = [];
    const json: JsonValue[] = [];
    this.#at++;
    for (let first = true; !this.#closes("]", first); first = false) {
      this.path.push(json.length);
      const read = this.#value();
      this.path.pop();
      items.push(read.place);
      json.push(read.json);
    }
    return { json, place: { offset, items } };
  }

  // Takes the closing bracket, or the comma before a further element.
  #closes(bracket: string, first: boolean): boolean {
    this.#space();
    if (this.#text[this.#at] === bracket) {
      this.#at++;
      return true;
    }
    if (!first) {
      if (this.#text[this.#at] !== ",") throw this.#fault(`"," or "${bracket}" is expected here.`);
      this.#at++;
      this.#space();
      if (this.#text[this.#at] === bracket) throw this.#fault("There is a comma too many.");
    }
    return false;
  }

  #string(): string {
    const token = this.#take(STRING);
    if (token === undefined) throw this.#fault("The text in quotes is never closed.");
    try {
      return JSON.parse(token) as string;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Fault(
        Reason.MALFORMED_JSON,
        "The text holds a bad escape or a control character.",
        this.#at - token.length,
      );
    }
  }

  #scalar(): JsonValue {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    const token = this.#take(NUMBER);
    if (token === undefined) throw this.#fault("A value is expected here.");
    return Number(token);
  }

  #space(): void {
    this.#take(SPACE);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    this.#at += token?.length ?? 0;
    return token;
  }

  #fault(message: string): Fault {
    const ends = this.#at >= this.#text.length;
    return new Fault(Reason.MALFORMED_JSON, ends ? "The text ends too early." : message, this.#at);
  }
}
