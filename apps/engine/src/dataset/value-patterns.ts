// What a text looks like when it points at a person. Wide on purpose: a false alarm hides a value, a miss shows one.
// Every pattern is linear: no nested repetition, bounded runs, short inputs.

/** Longest text that patterns are tried on; longer ones count as free text. */
const MAX_TEXT = 256;

interface ValuePattern {
  readonly reason: string;
  readonly test: (text: string) => boolean;
}

const digitsOf = (text: string) => text.replace(/\D/g, "");
const isPunctuatedNumber = (text: string) => /^[+(]?[\d\s().\-/+]+(\s?(x|ext\.?)\s?\d{1,6})?$/i.test(text);

/** Check digit of ISO/IEC 7812-1 annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const CONTAINED: readonly ValuePattern[] = [
  { reason: "e-mail addresses", test: (t) => t.includes("@") && /[^\s@]@[^\s@]+\.[^\s@.]/u.test(t) },
  { reason: "Social Security numbers", test: (t) => /(^|[^\d-])\d{3}-\d{2}-\d{4}($|[^\d-])/.test(t) },
  { reason: "tax or national ids", test: (t) => /(^|\D)\d{3}\.\d{3}\.\d{3}-\d{2}($|\D)/.test(t) },
  {
    reason: "IBANs",
    test: (t) => /\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}\s?[A-Z0-9]{0,4}\b/.test(t) && digitsOf(t).length >= 10,
  },
  { reason: "IP addresses", test: (t) => /(^|[^\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}($|[^\d.])/.test(t) },
  { reason: "IP or MAC addresses", test: (t) => /\b(?:[0-9a-f]{1,4}:{1,2}){4,7}[0-9a-f]{1,4}\b/i.test(t) },
  { reason: "MAC addresses", test: (t) => /\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/i.test(t) },
  { reason: "addresses of web pages", test: (t) => /\b[a-z][a-z0-9+.-]{1,15}:\/\/\S/i.test(t) },
  { reason: "secrets", test: (t) => /-----BEGIN|\beyJ[\w-]{10,}\.|\b(AKIA|ghp_|sk-|xox[abp]-)[\w-]{8,}/.test(t) },
  { reason: "secrets or digests", test: (t) => /^\$\w{1,8}\$|^[0-9a-f]{32,128}$|^[\w+/-]{40,}={0,2}$/i.test(t) },
];

const WHOLE: readonly ValuePattern[] = [
  {
    reason: "card numbers",
    test: (t) => /^\d[\d -]{11,22}$/.test(t) && /^\d{12,19}$/.test(digitsOf(t)) && passesLuhn(digitsOf(t)),
  },
  {
    reason: "phone numbers",
    test: (t) => {
      const count = digitsOf(t).length;
      return count >= 7 && count <= 15 && isPunctuatedNumber(t) && !isDate(t) && !/^-?\d+\.\d+$/.test(t);
    },
  },
  {
    reason: "long numbers",
    test: (t) => /^[A-Z]{0,3}\d[\d\s-]{6,32}[A-Z]?$/i.test(t) && digitsOf(t).length >= 7 && !isDate(t),
  },
  { reason: "national ids", test: (t) => /^[A-Z]{1,6}[\d\s]{6,12}[A-Z]{0,2}$/i.test(t) || /^\d{7,9}[A-Z]$/i.test(t) },
  { reason: "national ids", test: (t) => /^[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]$/i.test(t) },
  { reason: "crypto wallets", test: (t) => /^(0x[0-9a-f]{40}|(bc1|[13])[a-z0-9]{25,60})$/i.test(t) },
  {
    reason: "street addresses",
    test: (t) =>
      /^\d{1,6}[a-z]?\s\S+(\s\S+){1,6}$/i.test(t) ||
      /\b(street|str\.|straße|strasse|avenue|ave|road|rd|lane|blvd|rue|calle|rua|via|platz|weg)\b/i.test(t),
  },
  { reason: "coordinates", test: (t) => /^[-+]?\d{1,3}\.\d{3,}\s*[,;]\s*[-+]?\d{1,3}\.\d{3,}$/.test(t) },
];

// Two to four words that each start with a capital: the look of a person's name.
const NAME = /^(\p{Lu}[\p{L}'’-]*\.?,?\s){1,3}\p{Lu}[\p{L}'’-]*\.?$/u;

function isDate(text: string): boolean {
  return /^(19|20)\d{2}[-/.]?(0?[1-9]|1[0-2])[-/.]?([0-2]?\d|3[01])([T ].*)?$/.test(text);
}

/** Kind of personal data that a text looks like, as a plural noun; undefined where it looks like none. */
export function patternOf(text: string): string | undefined {
  const value = text.trim().slice(0, MAX_TEXT);
  if (value.length < 5) return undefined;
  return (CONTAINED.find((p) => p.test(value)) ?? WHOLE.find((p) => p.test(value)))?.reason;
}

/** Whether a text looks like the name of a person. */
export function looksLikeName(text: string): boolean {
  return text.length <= 60 && NAME.test(text.trim());
}

/** Whether the name of a column is itself a value that points at a person. */
export function looksPersonal(name: string): boolean {
  const value = name.trim().slice(0, MAX_TEXT);
  if (/[_a-z]\w*_\w/i.test(value) && !value.includes("@")) return false;
  const reason = patternOf(value);
  return reason !== undefined && /\d|@/.test(value) && !/^(street|addresses of)/.test(reason);
}
