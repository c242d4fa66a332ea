import { type Dialect, tokenize } from "@polyglot-sql/sdk";

/** A word of SQL. Offsets count Unicode characters, as the parser does. */
export interface Token {
  kind: string;
  text: string;
  start: number;
  end: number;
}

/** A stretch of a script that should be one statement. */
export interface Chunk {
  text: string;
  /** Offset of its first character in the script. */
  offset: number;
}

/** A text addressed by Unicode characters. */
export class SourceText {
  readonly #characters: string[] | undefined;
  readonly #text: string;
  readonly #lineStarts: number[] = [0];

  constructor(text: string) {
    this.#text = text;
    // Only characters outside the basic plane make the two ways of counting differ.
    this.#characters = /[\u{10000}-\u{10ffff}]/u.test(text) ? Array.from(text) : undefined;
    const units = this.#characters ?? text;
    for (let at = 0; at < units.length; at += 1) if (units[at] === "\n") this.#lineStarts.push(at + 1);
  }

  slice(start: number, end?: number): string {
    return this.#characters ? this.#characters.slice(start, end).join("") : this.#text.slice(start, end);
  }

  /** Line of an offset, from 1. */
  lineAt(offset: number): number {
    let [low, high] = [0, this.#lineStarts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

/** The words of a text; `undefined` where it cannot even be cut into words, as with a quote that never closes. */
export function tokensOf(text: string, dialect: string): Token[] | undefined {
  const answer = tokenize(text, dialect as Dialect);
  if (!answer.success || !answer.tokens) return undefined;
  // The published type of a token differs from what the parser returns.
  const tokens = answer.tokens as unknown as {
    token_type: string;
    text: string;
    span: { start: number; end: number };
  }[];
  return tokens.map(({ token_type, text: word, span }) => ({
    kind: token_type,
    text: word,
    start: span.start,
    end: span.end,
  }));
}

/** Cuts a script at its semicolons. */
export function chunksOf(source: SourceText, tokens: Token[]): Chunk[] {
  const chunks: Chunk[] = [];
  let first: Token | undefined;
  let last: Token | undefined;
  const flush = () => {
    if (first && last) chunks.push({ text: source.slice(first.start, last.end), offset: first.start });
    first = undefined;
  };
  for (const token of tokens) {
    if (token.kind === "SEMICOLON") flush();
    else {
      first ??= token;
      last = token;
    }
  }
  flush();
  return chunks;
}

const NAMED_AFTER = /^(FROM|JOIN|INTO|USING|UPDATE|TABLE|VIEW|AS|DOT)$/;

/**
 * The lines of a script as they may be shown: no comments, no text of literals, no long numbers, since any of these may
 * hold what points at a person. In doubt whether a quoted word is a name or a text, it is masked.
 */
export function shownLines(source: SourceText, tokens: Token[]): string[] {
  let shown = "";
  let at = 0;
  for (const [index, token] of tokens.entries()) {
    shown += blank(source.slice(at, token.start)) + mask(source.slice(token.start, token.end), { tokens, index });
    at = token.end;
  }
  return (shown + blank(source.slice(at))).split("\n").map((line) => line.trim());
}

function mask(written: string, { tokens, index }: { tokens: Token[]; index: number }): string {
  const quote = written[0] ?? "";
  if (/^\d{5,}/.test(written)) return "…";
  const isText = tokens[index]?.kind.includes("STRING") || quote === "'" || quote === "$";
  const isName = NAMED_AFTER.test(tokens[index - 1]?.kind ?? "") || tokens[index + 1]?.kind === "DOT";
  if (isText || (quote === '"' && !isName)) return `'…'${written.replace(/[^\n]/g, "")}`;
  return written;
}

/** What stands between two words: white space stays, comments go. */
function blank(gap: string): string {
  return gap.trim() === "" ? gap : ` ${gap.replace(/[^\n]/g, "")}`;
}
