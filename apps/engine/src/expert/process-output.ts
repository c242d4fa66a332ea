import type { Logger } from "../logger.ts";
import { redactText } from "../run/redact.ts";

/** Longest line that is kept. */
const LINE = 4_096;
/** Lines that are logged per second; the rest is counted. */
const LINES_PER_SECOND = 50;
/** Places in its code that an ended expert is remembered by. */
const PLACES = 8;

/**
 * What an expert prints, for the log. Its lines may quote the data, so they are logged at level `debug`, redacted; what is told of its
 * end is where in its code it was, and why V8 gave up.
 */
export class Output {
  readonly #logger: Logger;
  readonly #expert: string;
  #rest = "";
  #places: string[] = [];
  #inStack = false;
  #second = 0;
  #count = 0;
  #dropped = 0;

  constructor(logger: Logger, expert: string) {
    this.#logger = logger;
    this.#expert = expert;
  }

  hear(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString("utf8")).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, LINE);
    for (const line of lines) this.line(line);
  }

  line(line: string): void {
    const text = line.slice(0, LINE);
    this.#remember(text);
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    if (++this.#count > LINES_PER_SECOND) this.#dropped++;
    else if (text.trim() !== "")
      this.#logger.debug({ package: this.#expert, line: redactText(text) }, "an expert printed");
  }

  /** The first places of the last stack that it printed. */
  #remember(text: string): void {
    const place = /^ {4}at |^FATAL ERROR: /.test(text);
    if (place && !this.#inStack) this.#places = [];
    if (place && this.#places.length < PLACES) this.#places.push(text.trim());
    this.#inStack = place;
  }

  /** Where it was in its code, as the end of a sentence; empty where it did not say. */
  places(): string {
    return this.#places.length > 0 ? ` (${this.#places[0]})` : "";
  }

  ended(how: string): void {
    const fields = { package: this.#expert, how, at: this.#places, droppedLines: this.#dropped };
    this.#logger.info(fields, "the process of an expert ended");
  }
}
