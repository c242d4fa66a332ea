/** What may stand in a template: texts are escaped, markup is not, lists are joined, `false` and `undefined` leave nothing. */
export type Content = string | number | Markup | false | undefined | readonly Content[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** A piece of HTML or SVG that is safe to write as it is. Only {@link markup} makes one. */
export class Markup {
  readonly #text: string;

  /** @param text trusted: written by this program, every foreign text in it escaped */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/**
 * Template of HTML or SVG: what is interpolated is escaped, for text and for quoted attribute values alike, unless it
 * is markup itself. Never interpolate into an unquoted attribute, a URL's scheme, `<style>` or `<script>`.
 */
export function markup(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  let text = strings[0] ?? "";
  contents.forEach((content, place) => {
    text += write(content) + (strings[place + 1] ?? "");
  });
  return new Markup(text);
}

function write(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Markup) return content.toString();
  if (typeof content === "object") return content.map(write).join("");
  return String(content).replace(/[&<>"'`]/gu, (character) => ENTITIES[character] ?? character);
}
