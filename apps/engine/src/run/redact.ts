import type { JsonValue } from "@bufbuild/protobuf";

// The last line of defence, at the sink: experts already keep raw values in their workers. Only patterns that hardly ever mean
// anything else stand here, so that honest text is left alone. Each is linear: no nested quantifier, bounded repeats.
// The last label begins with a letter: `SchemaExpert@1.0.0` is no address.
const EMAIL = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,7}\.[A-Za-z][A-Za-z0-9-]{1,62}/g;
const SSN = /\b\d{3}-\d{2}-\d{4}\b/g;
const CARD = /\b\d(?:[ -]?\d){12,18}\b/g;
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g;

/** A text without values that point at a person. `allowed` holds addresses that are meant to be read, such as a contract's owner. */
export function redactText(text: string, allowed: ReadonlySet<string> = NOTHING): string {
  if (text.length < 7) return text;
  return text
    .replace(EMAIL, (found) => (allowed.has(found.toLowerCase()) || isShape(found) ? found : "[e-mail]"))
    .replace(SSN, (found) => (isShape(found) ? found : "[ssn]"))
    .replace(CARD, (found) => (!isShape(found) && passesLuhn(found) ? "[card]" : found))
    .replace(IBAN, (found) => (passesMod97(found) ? "[iban]" : found));
}

/** The same for every text of a JSON value, keys included. */
export function redactJson(value: JsonValue, allowed: ReadonlySet<string> = NOTHING): JsonValue {
  if (typeof value === "string") return redactText(value, allowed);
  if (Array.isArray(value)) return value.map((one) => redactJson(one, allowed));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [redactText(key, allowed), redactJson(one, allowed)]),
  );
}

/** E-mail addresses in a JSON value, in lower case: what an owner wrote into a contract may be read in a report. */
export function emailsIn(value: JsonValue): Set<string> {
  return new Set((JSON.stringify(value).match(EMAIL) ?? []).map((found) => found.toLowerCase()));
}

const NOTHING: ReadonlySet<string> = new Set();

/** `aaa@aaa.aaa` and `999-99-9999` show the shape of values, and are none. */
function isShape(found: string): boolean {
  return /^[aA9@._%+ -]*$/.test(found);
}

/** Luhn, ISO/IEC 7812-1. */
function passesLuhn(found: string): boolean {
  const digits = found.replace(/\D/g, "");
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]) * (i % 2 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0 && !/^0*$/.test(digits);
}

/** ISO 13616: moved by four, letters as 10 … 35, the remainder by 97 is 1. */
function passesMod97(found: string): boolean {
  const text = found.replaceAll(" ", "");
  let rest = 0;
  for (const letter of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(letter, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
