import type { LogicalType } from "./logical-type.ts";
import { tokensOf } from "./names.ts";
import type { ColumnFacts, TextFacts } from "./sample.ts";

/** What a column means, beyond its type. */
export type Semantic =
  | "id"
  | "code"
  | "currency"
  | "country"
  | "email"
  | "phone"
  | "national_id"
  | "person_name"
  | "address"
  | "postal_code"
  | "birth_date"
  | "card_number"
  | "iban"
  | "ip_address"
  | "geo_coordinate"
  | "url"
  | "uuid"
  | "json"
  | "timestamp_with_zone"
  | "timestamp_without_zone"
  | "date"
  | "time"
  | "flag"
  | "money"
  | "percentage"
  | "measure"
  | "category"
  | "text"
  | "binary"
  | "nested"
  | "unknown";

/** Semantics that may point at a person. The security expert decides; this only counts candidates. */
export const PERSONAL: ReadonlySet<Semantic> = new Set<Semantic>([
  "email",
  "phone",
  "national_id",
  "person_name",
  "address",
  "birth_date",
  "card_number",
  "iban",
  "ip_address",
]);

/** What is known of a column when its meaning is decided. */
export interface Meaning {
  name: string;
  /** DuckDB's type. */
  type: string;
  logical?: LogicalType;
  facts?: ColumnFacts;
  distinctCount: number;
  rowCount: number;
  unique: boolean;
}

/** The meaning, and in a few words what shows it. */
export interface Verdict {
  semantic: Semantic;
  because: string;
}

/** Words in a name that say what a column holds; the first row that matches wins. Words of English, Portuguese, Spanish, German, French. */
const NAMES: [Semantic, RegExp, "text" | "number" | "time" | "any"][] = [
  ["email", / (e mail|email|mail|emailaddress|correo|courriel) /, "text"],
  ["phone", / (phone|mobile|cell|telephone|tel|telefone|telefono|celular|handy|fax|msisdn|phonenumber) /, "any"],
  [
    "national_id",
    / (ssn|itin|cpf|cnpj|nino|nif|nie|pesel|aadhaar|passport|passaporte|steuerid|social security|national id|tax id|rg) /,
    "any",
  ],
  ["card_number", / (card number|cardnumber|credit card|creditcard|pan|cc number) /, "any"],
  ["iban", / iban /, "text"],
  ["birth_date", / (birth|birthdate|birthday|dob|born|nascimento|nacimiento|geburtsdatum|naissance) /, "any"],
  [
    "person_name",
    / (first|last|full|middle|family|given|sur|maiden|customer|employee|patient|contact|user) name /,
    "text",
  ],
  [
    "person_name",
    / (firstname|lastname|fullname|surname|nome|nombre|apellido|sobrenome|vorname|nachname|prenom) /,
    "text",
  ],
  ["ip_address", / (ip|ip address|ipaddress|ipv4|ipv6) /, "text"],
  ["postal_code", / (zip|zipcode|zip code|postcode|postal|postal code|cep|plz) /, "any"],
  ["address", / (address|street|endereco|direccion|adresse|strasse|rua) /, "text"],
  ["geo_coordinate", / (lat|latitude|lon|lng|long|longitude) /, "number"],
  ["url", / (url|uri|website|homepage|link) /, "text"],
];

const MONEY =
  / (amount|price|cost|total|subtotal|balance|fee|salary|wage|revenue|tax|payment|paid|income|budget|spend|charge|valor|preco|precio|importe|betrag|prix|montant) /;
const PERCENT = / (percent|percentage|pct|perc|ratio|rate|share) /;
const NO_MONEY = / (count|qty|quantity|number|points|id|rate|ratio|percent|pct|type|code|status|method|currency|date) /;
const FLAG = /^ (is|has|was|can|should|did) | (flag|indicator|active|enabled|deleted) $/;
const ID = / (id|uuid|guid|key|pk|sk|fk|identifier|hash) $/;
const CODE = / (code|sku|isin|cusip|no|nr|num|number|ref|reference) $/;

/** Share of texts that must be of a kind before the values alone decide; the rest may be errors. */
const MOST = 0.95;
/** A category has few values, and each in many rows: at most 50 and 1 in 20 rows. */
const CATEGORY_VALUES = 50;
const CATEGORY_SHARE = 0.05;

const INTEGER = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/;
const FRACTION = /^(FLOAT|DOUBLE|REAL|DECIMAL)/;

/** Decides what a column means, from its type, its values and its name, in that order. */
export function semanticOf(column: Meaning): Verdict {
  const name = ` ${tokensOf(column.name).join(" ")} `;
  return (
    byType(column, name) ??
    byValues(column, name) ??
    byName(column, name) ??
    byNumbers(column, name) ??
    byVariety(column)
  );
}

/** Whether a name speaks of money. */
export function namesMoney(columnName: string): boolean {
  const name = ` ${tokensOf(columnName).join(" ")} `;
  return MONEY.test(name) && !NO_MONEY.test(name);
}

function byType({ type, logical }: Meaning, name: string): Verdict | undefined {
  const birth = NAMES.find(([semantic]) => semantic === "birth_date");
  if (/^(DATE|TIMESTAMP)/.test(type) && birth?.[1].test(name))
    return { semantic: "birth_date", because: "name and type" };
  if (/WITH TIME ZONE|TIMESTAMPTZ/.test(type)) return { semantic: "timestamp_with_zone", because: "type" };
  if (type.startsWith("TIMESTAMP")) return { semantic: "timestamp_without_zone", because: "type" };
  if (type === "DATE") return { semantic: "date", because: "type" };
  if (type.startsWith("TIME")) return { semantic: "time", because: "type" };
  if (type === "BOOLEAN") return { semantic: "flag", because: "type" };
  if (type === "UUID") return { semantic: "uuid", because: "type" };
  if (type === "JSON") return { semantic: "json", because: "type" };
  if (type === "BLOB" || type.startsWith("BIT")) return { semantic: "binary", because: "type" };
  if (/^(STRUCT|MAP|UNION)|\[\]$/.test(type)) return { semantic: "nested", because: "type" };
  if (logical?.share === 1 && !birth?.[1].test(name)) return bySpelling(logical);
  return undefined;
}

function bySpelling(logical: LogicalType): Verdict | undefined {
  const because = "every text of the sample spells it";
  if (logical.type === "timestamp") {
    const zoned = logical.format?.includes("with zone");
    return { semantic: zoned ? "timestamp_with_zone" : "timestamp_without_zone", because };
  }
  if (logical.type === "date" || logical.type === "uuid" || logical.type === "json")
    return { semantic: logical.type, because };
  return logical.type === "boolean" ? { semantic: "flag", because } : undefined;
}

function byValues({ facts }: Meaning, name: string): Verdict | undefined {
  const texts = facts?.texts;
  if (!texts || !facts?.present) return undefined;
  const share = (count: number) => count / Math.max(1, facts.present - texts.spelling.blank - texts.spelling.nullWords);
  const shown = (count: number, what: string) => `${Math.round(share(count) * 1000) / 10} % of the texts are ${what}`;
  if (share(texts.email) >= MOST) return { semantic: "email", because: shown(texts.email, "e-mail addresses") };
  if (share(texts.url) >= MOST) return { semantic: "url", because: shown(texts.url, "URLs") };
  if (share(texts.ipAddress) >= MOST)
    return { semantic: "ip_address", because: shown(texts.ipAddress, "IPv4 addresses") };
  return codeLists(texts, { name, share, shown, distinct: facts.distinct });
}

interface Shares {
  name: string;
  share(count: number): number;
  shown(count: number, what: string): string;
  distinct: number;
}

/** Three capitals are a currency only where the name says so or several values leave no doubt; so with two and a country. */
function codeLists(texts: TextFacts, { name, share, shown, distinct }: Shares): Verdict | undefined {
  const currency = share(texts.currency) >= MOST;
  const country = share(texts.country) >= MOST;
  if (
    currency &&
    (/ (currency|curr|ccy|moeda|moneda|waehrung|devise) /.test(name) || (texts.fixedLength === 3 && distinct >= 3))
  ) {
    return { semantic: "currency", because: shown(texts.currency, "ISO 4217 codes") };
  }
  if (
    country &&
    (/ (country|nation|nationality|pais|land|pays) /.test(name) || (texts.fixedLength > 0 && distinct >= 8))
  ) {
    return { semantic: "country", because: shown(texts.country, "ISO 3166-1 codes") };
  }
  return undefined;
}

function byName({ type, logical }: Meaning, name: string): Verdict | undefined {
  const kind = type === "VARCHAR" ? "text" : INTEGER.test(type) || FRACTION.test(type) ? "number" : "time";
  for (const [semantic, words, holds] of NAMES) {
    if ((holds === "any" || holds === kind) && words.test(name)) return { semantic, because: "name" };
  }
  if (/ currency /.test(name) && kind === "text") return { semantic: "currency", because: "name" };
  if (/ country /.test(name) && kind === "text") return { semantic: "country", because: "name" };
  if (ID.test(name) && !FRACTION.test(type)) return { semantic: "id", because: "name" };
  if (kind === "text" && logical?.type === "code" && logical.share === 1) {
    return { semantic: "code", because: "digits with leading zeros, or more than a 64-bit number holds" };
  }
  if (CODE.test(name) && kind === "text") return { semantic: "code", because: "name" };
  return undefined;
}

function byNumbers({ type, logical, distinctCount, name: full }: Meaning, name: string): Verdict | undefined {
  const spelled = logical?.share === 1 && (logical.type === "integer" || logical.type === "decimal");
  if (!INTEGER.test(type) && !FRACTION.test(type) && !spelled) return undefined;
  if (FLAG.test(name) && distinctCount <= 2) return { semantic: "flag", because: "name, and two values at most" };
  if (namesMoney(full)) return { semantic: "money", because: "name" };
  if (PERCENT.test(name)) return { semantic: "percentage", because: "name" };
  if (CODE.test(name) && !FRACTION.test(type)) return { semantic: "code", because: "name" };
  return { semantic: "measure", because: "a number" };
}

function byVariety({ facts, distinctCount, rowCount, unique }: Meaning): Verdict {
  const present = facts?.present ?? 0;
  if (present === 0) return { semantic: "unknown", because: "no value in the sample" };
  if (unique) return { semantic: "id", because: "no value occurs twice" };
  if (distinctCount <= CATEGORY_VALUES && distinctCount <= Math.max(2, rowCount * CATEGORY_SHARE)) {
    return { semantic: "category", because: `${distinctCount} different values` };
  }
  const wordy = (facts?.texts?.manyWords ?? 0) / present;
  return { semantic: "text", because: wordy > 0.5 ? "mostly of three words or more" : "many different values" };
}
