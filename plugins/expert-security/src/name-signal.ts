import type { EntityName } from "./entities.ts";
import { ABOUT, PEOPLE, QUASI_IDENTIFIERS, type Strength, TAXONOMY, THINGS } from "./taxonomy.ts";

/** What a column's name says. */
export interface NameSignal {
  entity: EntityName;
  strength: Strength;
  /** The words of the name that said it. */
  term: string;
}

interface Phrase {
  entity: EntityName;
  strength: Strength;
  words: string[];
}

const RANK: Record<Strength, number> = { strong: 3, likely: 2, vague: 1 };

/** A person's word comes last: `customer name` is about the name. */
const rankOf = ({ strength, words }: Phrase): number =>
  strength === "vague" && PEOPLE.has(words[0] ?? "") ? 0 : RANK[strength];

const PHRASES: readonly Phrase[] = Object.entries(TAXONOMY)
  .flatMap(([entity, byStrength]) =>
    Object.entries(byStrength).flatMap(([strength, text]) =>
      text.split(",").map((phrase) => ({
        entity: entity as EntityName,
        strength: strength as Strength,
        words: phrase.trim().split(/\s+/),
      })),
    ),
  )
  // The longest phrase says most: `card security code` before `card`; then the surer: `phone` before `contact`.
  .sort(
    (a, b) =>
      b.words.length - a.words.length || rankOf(b) - rankOf(a) || b.words.join("").length - a.words.join("").length,
  );

const NEUTRAL = new Set(
  `the of el la le il o a de da do di des der src dst dest client remote primary main home work raw new old number no num value
  start end pickup dropoff origin from to geo gps location c p col 1 2 3`.split(/\s+/),
);
const VOCABULARY: ReadonlySet<string> = new Set(
  [...PHRASES.flatMap(({ words }) => words), ...ABOUT, ...PEOPLE, ...THINGS, ...NEUTRAL].filter(
    (word) => word.length >= 2,
  ),
);
const WRAPPERS = new Set(["value", "element", "item", "list", "array", "key_value", "text", "[]", "$oid", "_id"]);

/** Words of a name: `srcIp_addr2` gives src, ip, addr, 2. Accents go, runs of known words are taken apart. */
export function wordsOf(name: string): string[] {
  return name
    .slice(0, 200)
    .replace(/ß/g, "ss")
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/ł/g, "l")
    .replace(/Ł/g, "L")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .replace(/(\p{L})(\d)/gu, "$1 $2")
    .replace(/(\d)(\p{L})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter(Boolean)
    .flatMap((word) => (VOCABULARY.has(word) ? [word] : segments(word)));
}

/** Takes `srcip` or `emailaddress` apart where known words cover all of it; fewest words win. */
function segments(word: string): string[] {
  if (word.length < 5 || word.length > 40) return [singular(word)];
  const best: (string[] | undefined)[] = [[]];
  for (let end = 1; end <= word.length; end++) {
    for (let start = Math.max(0, end - 20); start < end; start++) {
      const before = best[start];
      const part = word.slice(start, end);
      const known = part.length >= 2 && VOCABULARY.has(part);
      if (before && known && before.length + 1 < (best[end]?.length ?? 9)) best[end] = [...before, part];
    }
  }
  const found = best[word.length];
  // Two-letter pieces alone cover many words by accident: at least one piece of three letters, two pieces at most.
  return found && found.length <= 3 && found.some((part) => part.length >= 3) ? found : [singular(word)];
}

function singular(word: string): string {
  const stem = word.replace(/s$/, "");
  return VOCABULARY.has(stem) ? stem : word;
}

/**
 * What the name of a column says about its content; `undefined` where nothing, or where the name speaks about the
 * data and not of it (`email_verified`). `table` is the dataset's name: `name` in `customers` is a person's.
 */
export function nameSignal(column: string, table = ""): NameSignal | undefined {
  const path = column.split(".").filter((part) => part && !WRAPPERS.has(part));
  const leaf = wordsOf(path.at(-1) ?? column);
  const around = [...path.slice(0, -1).flatMap(wordsOf), ...wordsOf(table)];
  const said = PHRASES.find(({ words }) => indexOf(leaf, words) >= 0);
  if (!said) return undefined;
  const at = indexOf(leaf, said.words);
  const rest = [...leaf.slice(0, at), ...leaf.slice(at + said.words.length)];
  if (rest.some((word) => ABOUT.has(word))) return undefined;
  const strength = strengthOf(said, rest, around);
  return strength ? { entity: said.entity, strength, term: said.words.join(" ") } : undefined;
}

function strengthOf(said: Phrase, rest: string[], around: string[]): Strength | undefined {
  if (said.strength === "strong") return "strong";
  const unexplained = rest.some((word) => !NEUTRAL.has(word) && !PEOPLE.has(word));
  const person = [...rest, ...around].some((word) => PEOPLE.has(word));
  if (said.strength === "likely") {
    if (unexplained) return "vague";
    return rest.some((word) => PEOPLE.has(word)) ? "strong" : "likely";
  }
  if (rest.some((word) => THINGS.has(word))) return undefined;
  // `name` of a person; a person's word alone (`customer`) stays vague, for it may be a number.
  const isName = /^(names?|nome|nombre|nom|naam|imiona)$/.test(said.words[0] ?? "");
  if (isName && person) return unexplained ? "likely" : "strong";
  return unexplained ? undefined : "vague";
}

function indexOf(all: string[], part: string[]): number {
  for (let start = 0; start + part.length <= all.length; start++) {
    if (part.every((word, offset) => all[start + offset] === word)) return start;
  }
  return -1;
}

/** Whether a column singles people out together with others (age, city, gender …). */
export function isQuasiIdentifier(column: string): boolean {
  const leaf = wordsOf(column.split(".").at(-1) ?? column);
  return (
    leaf.length <= 3 && (leaf.some((word) => QUASI_IDENTIFIERS.has(word)) || QUASI_IDENTIFIERS.has(leaf.join("_")))
  );
}

/** Words of a name that speak against a number being personal: an amount, a version, a time. */
export function speaksOfMeasure(column: string): boolean {
  const measures = new Set(
    "version price amount total count quantity qty year timestamp date score rate cost fee sum avg mean index size length port".split(
      " ",
    ),
  );
  return wordsOf(column.split(".").at(-1) ?? column).some((word) => measures.has(word));
}
