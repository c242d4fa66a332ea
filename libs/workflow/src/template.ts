/** A CEL expression in a text, and where it begins there. */
export interface Hole {
  expression: string;
  /** Offset of the expression's first character, in UTF-16 units. */
  offset: number;
}

/** A text with `${ … }` in it: plain parts and holes in turn. */
export type Template = readonly (string | Hole)[];

/** A template, or the offset of a `${` that nothing closes. */
export type TemplateResult = { template: Template; unclosed?: undefined } | { template?: undefined; unclosed: number };

/** Takes a text apart. `$${` stands for a plain `${`. */
export function parseTemplate(text: string): TemplateResult {
  const parts: (string | Hole)[] = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf("${", at);
    if (next === -1) break;
    if (next > at && text[next - 1] === "$") {
      plain += `${text.slice(at, next - 1)}\${`;
      at = next + 2;
      continue;
    }
    const close = closingBrace(text, next + 2);
    if (close === -1) return { unclosed: next };
    plain += text.slice(at, next);
    if (plain !== "") parts.push(plain);
    plain = "";
    parts.push({ expression: text.slice(next + 2, close), offset: next + 2 });
    at = close + 1;
  }
  plain += text.slice(at);
  if (plain !== "" || parts.length === 0) parts.push(plain);
  return { template: parts };
}

// The `}` that ends the hole: not one of a map, and not one in a CEL string.
function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === "{") depth++;
    else if (char === "}" && depth-- === 0) return at;
    else if (char === '"' || char === "'") {
      at = stringEnd(text, at);
      if (at === -1) return -1;
    }
  }
  return -1;
}

// The last character of the CEL string that opens at `from`: plain or tripled quotes, raw or not.
function stringEnd(text: string, from: number): number {
  const char = text[from]!;
  const quotes = text.startsWith(char.repeat(3), from) ? char.repeat(3) : char;
  const raw = /(?:^|[^A-Za-z0-9_])(?:[rR][bB]?|[bB][rR])$/.test(text.slice(Math.max(0, from - 3), from));
  for (let at = from + quotes.length; at < text.length; at++) {
    if (text[at] === "\\" && !raw) at++;
    else if (text.startsWith(quotes, at)) return at + quotes.length - 1;
  }
  return -1;
}
