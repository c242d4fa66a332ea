import { FIELDS, type Field, type FieldName } from "./fields.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { type Place, placesOf } from "./places.ts";

/** Legal bases of Article 6(1), letters (a) to (f). */
export const LEGAL_BASES = [
  "consent",
  "contract",
  "legal_obligation",
  "vital_interests",
  "public_task",
  "legitimate_interests",
] as const;
export type LegalBasis = (typeof LEGAL_BASES)[number];

/** What a contract says about one field. */
export interface Reading {
  /**
   * `absent`: nothing, or a placeholder such as `tbd`; `given`; `denied`: it says no, none, false; `invalid`: something
   * that is no answer (an unknown legal basis, retention for ever).
   */
  state: "absent" | "given" | "denied" | "invalid";
  /** Path in the contract; empty where absent. */
  path: string;
  /** The value as text, shortened, contact data taken out. */
  text: string;
  bases: LegalBasis[];
  places: Place[];
  /** Entries, for lists. */
  entries: string[];
}

/** A contract, read field by field. */
export type Contract = Record<FieldName, Reading>;

const ABSENT: Reading = { state: "absent", path: "", text: "", bases: [], places: [], entries: [] };
const PLACEHOLDER =
  /^(|-+|\?+|tb[adc]|to be (defined|determined|done|confirmed)|todo|fixme|unknown|undefined|null|n\.?n\.?|xxx+|a definir|unklar|\.\.\.)$/i;
const NO =
  /^(no|none|not|false|never|off|disabled|not (used|required|needed|applicable|relevant|encrypted|masked)|n\/?a|0|nenhuma?|kein|keine|nicht erforderlich)\b/i;
/** Parts of a contract that describe columns, where `classification` or `retention` mean something else. */
const COLUMN_PARTS = new Set([
  "schema",
  "columns",
  "fields",
  "models",
  "tables",
  "properties",
  "definitions",
  "examples",
  "quality",
]);

/** A contract's fields; all absent where there is no contract. */
export function readContract(contract: JsonObject | undefined): Contract {
  const leaves = contract ? leavesOf(contract) : [];
  const read = Object.entries(FIELDS).map(([name, field]) => [name, readField(field, leaves)]);
  return Object.fromEntries(read) as Contract;
}

interface Leaf {
  /** Path as written. */
  path: string;
  /** Parts in lower case without separators. */
  parts: string[];
  value: JsonValue;
}

/** Every value with its path, shallow ones first; `{property, value}` pairs count as a key and its value. */
function leavesOf(contract: JsonObject): Leaf[] {
  const leaves: Leaf[] = [];
  let level: Leaf[] = [{ path: "", parts: [], value: contract }];
  for (let depth = 0; depth < 6 && level.length > 0 && leaves.length < 5000; depth++) {
    level = level.flatMap(childrenOf);
    leaves.push(...level);
  }
  return leaves;
}

function childrenOf({ path, parts, value }: Leaf): Leaf[] {
  if (Array.isArray(value)) return value.flatMap((one) => propertyOf(one, path));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => !COLUMN_PARTS.has(plainKey(key)))
    .map(([key, child]) => ({ path: path ? `${path}.${key}` : key, parts: [...parts, plainKey(key)], value: child }));
}

/** ODCS writes facts as `{property: retention, value: 3, unit: y}`. */
function propertyOf(one: JsonValue, path: string): Leaf[] {
  if (typeof one !== "object" || one === null || Array.isArray(one)) return [];
  const { property, value, unit } = one;
  if (typeof property !== "string" || value === undefined) {
    return childrenOf({ path, parts: path ? path.split(".").map(plainKey) : [], value: one });
  }
  const said = typeof unit === "string" && typeof value !== "object" ? `${String(value)} ${unit}` : value;
  return [{ path: path ? `${path}.${property}` : property, parts: property.split(".").map(plainKey), value: said }];
}

const plainKey = (key: string): string => key.toLowerCase().replace(/[^\p{L}\d]/gu, "");

function readField(field: Field, leaves: Leaf[]): Reading {
  let placeholder = ABSENT;
  for (const alias of field.aliases.split(/\s+/)) {
    const scalar = alias.endsWith("!");
    const parts = alias.replace("!", "").split(".");
    const leaf = leaves.find((one) => endsWith(one.parts, parts) && !(scalar && typeof one.value === "object"));
    if (!leaf) continue;
    const reading = interpret(field, leaf);
    if (reading.state !== "absent") return reading;
    placeholder = reading;
  }
  return placeholder;
}

function endsWith(all: string[], end: string[]): boolean {
  const start = all.length - end.length;
  return start >= 0 && start <= 3 && end.every((part, offset) => all[start + offset] === part);
}

function interpret(field: Field, { path, value: written }: Leaf): Reading {
  const value = field.type === "flag" ? withoutDemand(written, path) : written;
  const entries = entriesOf(value);
  const whole = entries.join(", ");
  const reading: Reading = { ...ABSENT, path, text: presentable(whole), entries: entries.map(presentable) };
  const first = entries[0]?.replace(/^[\w ]{1,60}:\s*/, "").trim() ?? "";
  if (entries.every((entry) => PLACEHOLDER.test(entry.trim()))) return { ...reading, state: "absent" };
  switch (field.type) {
    case "duration":
      return { ...reading, state: isDuration(whole, path) ? "given" : "invalid" };
    case "legal_basis": {
      const bases = entries.map(legalBasisOf).filter((basis) => basis !== undefined);
      return { ...reading, bases: [...new Set(bases)], state: bases.length > 0 ? "given" : "invalid" };
    }
    case "places": {
      const places = placesOf(entries);
      return { ...reading, places, state: places.length === 0 ? "denied" : "given" };
    }
    default:
      return { ...reading, state: NO.test(first) && entries.length === 1 ? "denied" : "given" };
  }
}

/** `required: true` demands a thing and does not say that it is there; `required: false` is a denial. */
function withoutDemand(value: JsonValue, path: string): JsonValue {
  if (/required$/i.test(path)) return isNo(value) ? false : null;
  if (typeof value !== "object" || value === null || Array.isArray(value) || value.required === undefined) return value;
  const { required, ...rest } = value;
  return isNo(required) ? false : rest;
}

const isNo = (value: JsonValue | undefined): boolean =>
  value === false || (typeof value === "string" && NO.test(value));

/** Texts of a value: a list's entries, an object's `key: value` pairs. */
function entriesOf(value: JsonValue): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap(entriesOf);
  if (typeof value !== "object") return [String(value)];
  return Object.entries(value).flatMap(([key, child]) => entriesOf(child).map((text) => `${key}: ${text}`));
}

const BASIS_WORDS: [LegalBasis, RegExp][] = [
  [
    "legitimate_interests",
    /legitimate\s*interest|berechtigte[ns]?\s*interesse|int[eé]r[eê]t\s*l[eé]gitime|inter[eé]s\s*leg[ií]timo|interesse\s*leg[ií]ttimo|leg[ií]timo\s*interesse|\(f\)|^\W*f\W*$/i,
  ],
  [
    "legal_obligation",
    /legal\s*obligation|legal\s*requirement|statutory|rechtliche\s*verpflichtung|obliga[cç][aã]o\s*legal|obligaci[oó]n\s*legal|obligation\s*l[eé]gale|\(c\)|^\W*c\W*$/i,
  ],
  ["vital_interests", /vital|lebenswichtig|\(d\)|^\W*d\W*$/i],
  [
    "public_task",
    /public\s*(task|interest|authority)|official\s*authority|[oö]ffentliche[ns]?\s*(interesse|aufgabe)|inter[eê]s(se)?\s*p[uú]blico|\(e\)|^\W*e\W*$/i,
  ],
  ["consent", /consent|einwilligung|consentimento|consentimiento|consentement|consenso|zgoda|\(a\)|^\W*a\W*$/i],
  ["contract", /contract|vertrag|contrato|contrat\b|contratto|umowa|\(b\)|^\W*b\W*$/i],
];

/** The basis that a text means: `GDPR Art. 6(1)(b)`, `performance of a contract`, `Einwilligung`; undefined for others. */
export function legalBasisOf(text: string): LegalBasis | undefined {
  const plain = text.slice(0, 300).replace(/[_-]+/g, " ").trim();
  const letter = /6[\s.()]*1?[\s.()]*(?:lit\.?\s*)?\(?([a-f])\)?\W*$/i.exec(plain)?.[1]?.toLowerCase();
  if (letter) return LEGAL_BASES["abcdef".indexOf(letter)];
  return BASIS_WORDS.find(([, pattern]) => pattern.test(plain))?.[0];
}

const UNITS =
  /\b\d+(\.\d+)?\s*(d|days?|w|weeks?|m|months?|mo|y|yrs?|years?|h|hours?|tage?n?|monate?n?|jahre?n?|dias?|meses|anos?|jours?|mois|ans?|giorni|mesi|anni|dni|lat)\b/i;
const ISO = /\bP(?=\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?\b/i;

/** A period with an end: `24 months`, `P7Y`, `2027-12-31`, or a number where the field names the unit. */
function isDuration(text: string, path: string): boolean {
  const plain = text.slice(0, 300);
  if (/indefinit|forever|unlimited|permanent|no limit|never|unbegrenzt|ilimitad/i.test(plain)) return false;
  if (UNITS.test(plain) || ISO.test(plain) || /\b20\d\d-\d\d-\d\d\b/.test(plain)) return true;
  const unitIn = `${path} ${plain}`.toLowerCase();
  return /\b\d+(\.\d+)?\b/.test(plain) && /(day|week|month|year|ttl|hour)/.test(unitIn);
}

/** Text of a contract that may be shown: at most 160 characters, contact data replaced by a pointer to the contract. */
function presentable(text: string): string {
  return text
    .slice(0, 400)
    .replace(/[^\s@,:]{1,64}@[^\s@,]{1,255}/g, "[contact as in the contract]")
    .replace(/\+?\d[\d ().-]{7,20}\d/g, (match) =>
      /^20\d\d-\d\d-\d\d$/.test(match) ? match : "[number as in the contract]",
    )
    .slice(0, 160);
}
