import type { JsonValue } from "@bufbuild/protobuf";
import type { Position } from "./issue.ts";
import type { Path } from "./path.ts";

/** Finds where a value stands in its source: the key before it, where it has one. */
export type Locate = (path: Path) => Position | undefined;

/** A text as read: its value, and where each part of it stands. */
export interface SourceText {
  json: JsonValue;
  locate: Locate;
}

/** Turns offsets (UTF-16 units) into lines and columns. */
export class LineIndex {
  #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  at(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }
}
