/**
 * Characters that a reader cannot see but that a terminal, a browser or a text shaper acts on: controls (ANSI escapes
 * begin with one), format characters (bidi overrides, zero-width joiners, tags), line and paragraph separators, lone
 * surrogates and the other default-ignorables. The emoji presentation selector is left alone.
 */
const UNSEEN = /(?!\uFE0F)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/gu;

/** Makes every unseen character of an untrusted text visible: the escape character as `⟨U+001B⟩`. One line stays one line. */
export function visible(text: string): string {
  return text.replace(UNSEEN, picture);
}

/** Like {@link visible} for sentences: white space of any kind, line breaks included, is one space. */
export function visibleProse(text: string): string {
  return visible(text.replace(/\s+/gu, " ").trim());
}

/**
 * Cuts a text to at most `limit` UTF-16 units, an ellipsis included, never inside a surrogate pair.
 *
 * @param limit at least 1
 */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/u, "")}…`;
}

function picture(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
