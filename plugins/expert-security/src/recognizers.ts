import { parsePhoneNumberFromString } from "libphonenumber-js/min";
import * as check from "./checksums.ts";
import type { EntityName } from "./entities.ts";
import { givenNames, organisationWords } from "./names.ts";

/**
 * Knows one entity by its values. All patterns are anchored, bounded and without nested quantifiers, so that a value
 * costs time linear in `maxLength` at most; longer values are refused before any pattern runs.
 */
export interface Recognizer {
  /** Unique; what observations are filed under. */
  key: string;
  entity: EntityName;
  maxLength: number;
  /** The characters that carry meaning, where the value looks like one; otherwise undefined. */
  shape(value: string): string | undefined;
  /** Check digits and rules over what `shape` gave. */
  valid?(bare: string): boolean;
  /** Share of random values of that shape that are `valid`; needed with `valid`. */
  chance?: number;
  /** How sure a column is that holds only valid values, its name unknown: 0..1. */
  specificity: number;
}

const bare = (value: string): string => value.replace(/[ .\-/]/g, "").toUpperCase();

/** A recognizer whose shape is one pattern; the value without its separators is what `valid` sees. */
function pattern(
  entity: EntityName,
  regex: RegExp,
  options: Pick<Recognizer, "specificity"> & Partial<Recognizer>,
): Recognizer {
  return {
    key: entity,
    entity,
    maxLength: 64,
    shape: (value) => (regex.test(value) ? bare(value) : undefined),
    ...options,
  };
}

const EMAIL =
  /^[\p{L}\d!#$%&'*+/=?^_`{|}~.-]{1,64}@[\p{L}\d](?:[\p{L}\d-]{0,62})(?:\.[\p{L}\d-]{1,63}){0,6}\.(?:\p{L}{2,24}|xn--[a-z\d-]{1,59})$/u;

const PHONE = /^[+(\d][\d\s().\-/]{5,24}(?: ?(?:x|ext\.?) ?\d{1,6})?$/i;
const PHONE_COUNTRIES = ["US", "GB", "BR", "DE", "FR", "ES", "IT", "PL", "PT", "IN", "AU"] as const;

function phoneDigits(value: string): string | undefined {
  if (!PHONE.test(value)) return undefined;
  const digits = value.replace(/\D/g, "");
  return digits.length >= 7 && digits.length <= 19 ? value : undefined;
}

/** Separated groups, the first of them not a year: neither a decimal nor a date. */
function isFormattedPhone(value: string): boolean {
  const groups = value.split(/[\s().\-/]+/).filter(Boolean);
  if (value.startsWith("+") || groups.length < 2) return false;
  return value.startsWith("(") || (groups.length >= 3 && groups.every((one) => one.length <= 5) && !isDateLike(groups));
}

function isDateLike(groups: string[]): boolean {
  const [first = "", second = "", third = ""] = groups;
  const year = (one: string) => /^(19|20)\d\d$/.test(one);
  return (year(first) && second.length <= 2) || (year(third) && first.length <= 2 && second.length <= 2);
}

/** Bech32's check or base58 of the right length and alphabet. */
function isWallet(value: string): boolean {
  return /^bc1/i.test(value) ? check.bech32(value) : true;
}

/** Issuer ranges of ISO/IEC 7812 as published by the card schemes. */
const CARD_PREFIX = /^(4|5[0-8]|2[2-7]|3[0-9]|6[0-9]|1800|2131|1220)/;

function ipv6(value: string): boolean {
  const halves = value.split("::");
  const groups = value.split(":").filter(Boolean);
  const wellFormed = groups.every((one) => /^[\da-f]{1,4}$/i.test(one));
  return (
    wellFormed &&
    halves.length <= 2 &&
    (halves.length === 2 ? groups.length < 8 && groups.length > 0 : groups.length === 8)
  );
}

function isIp(value: string): boolean {
  const address = value.replace(/\/\d{1,3}$/, "");
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)) return address.split(".").every((part) => Number(part) <= 255);
  return address.includes(":") && address.length <= 39 && ipv6(address);
}

const STREET =
  /(?:^|[\s,.])(?:street|st|avenue|ave|av|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|square|terrace|way|highway|hwy|p\.? ?o\.? box|rua|travessa|avenida|calle|carrer|plaza|paseo|camino|rue|chemin|allée|impasse|quai|via|viale|piazza|corso|vicolo|ul|ulica|aleja|os|apt|suite|km|straat|laan|weg)(?:[\s,.]|$)/i;
const STREET_SUFFIX = /(?:str|stra(?:ß|ss)e|gasse|platz|allee|weg|straat|laan|gatan|vägen|vej|gade|utca|veien) /i;

/** House number and the word of a thoroughfare, or a post box. */
export function isStreetAddress(value: string): boolean {
  if (value.length < 6 || value.length > 200 || !/\d/.test(value) || !/\p{L}{2}/u.test(value)) return false;
  return STREET.test(value) || STREET_SUFFIX.test(`${value} `);
}

const HONORIFIC = /(?:^|[\s,])(?:mr|mrs|ms|miss|dr|prof|sr|sra|herr|frau|mme|mlle|sig|pan|pani)\.?\s/i;

/** Letters of one to five capitalised words, one of them a common given name or preceded by an honorific. */
export function isKnownPerson(value: string): boolean {
  if (value.length > 80 || !/^\p{Lu}[\p{L}\p{M}'’.,\- ()"]+$/u.test(value)) return false;
  const words = value.split(/[\s,.()"]+/).filter(Boolean);
  if (words.length > 6 || words.some((word) => organisationWords.has(word.toLowerCase()))) return false;
  if (HONORIFIC.test(value) && words.length >= 2) return true;
  return words.slice(0, 4).some((word) => givenNames.has(fold(word.split("-")[0] ?? "")));
}

function fold(word: string): string {
  return word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

const SSN_INVALID = /^(000|666|9\d\d)|^\d{3}00|0000$/;
const validSsn = (digits: string): boolean => !SSN_INVALID.test(digits) && !check.isRepdigit(digits);

/** All recognizers, in the order of precedence where two are equally sure. */
export const RECOGNIZERS: readonly Recognizer[] = [
  pattern("email", EMAIL, { specificity: 0.99, maxLength: 320 }),
  {
    key: "phone_international",
    entity: "phone",
    maxLength: 40,
    specificity: 0.95,
    shape: (value) => (value.startsWith("+") ? phoneDigits(value) : undefined),
    // `isPossible` and not `isValid`: numbers reserved for fiction (555-01xx) are phone numbers all the same.
    valid: (value) => parsePhoneNumberFromString(value)?.isPossible() === true,
    chance: 0.35,
  },
  {
    key: "phone_formatted",
    entity: "phone",
    maxLength: 40,
    specificity: 0.6,
    shape: (value) => (isFormattedPhone(value) ? phoneDigits(value) : undefined),
    valid: (value) => PHONE_COUNTRIES.some((country) => parsePhoneNumberFromString(value, country)?.isValid() === true),
    chance: 0.5,
  },
  pattern("private_key", /^-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----/, { specificity: 0.99, maxLength: 16_384 }),
  pattern("access_token", /^eyJ[\w-]{8,4000}\.eyJ[\w-]{2,8000}\.[\w-]{0,2000}$/, {
    key: "jwt",
    specificity: 0.98,
    maxLength: 16_384,
  }),
  pattern(
    "access_token",
    /^(?:A(?:KIA|SIA)[A-Z\d]{16}|gh[pousr]_[A-Za-z\d]{36,255}|github_pat_\w{20,255}|xox[abprs]-[\w-]{10,200}|[rs]k_(?:live|test)_[A-Za-z\d]{10,200}|AIza[\w-]{35}|glpat-[\w-]{20,60}|npm_[A-Za-z\d]{36}|sk-[\w-]{20,200})$/,
    { specificity: 0.98, maxLength: 512 },
  ),
  pattern(
    "password",
    /^(?:\$2[abxy]?\$\d\d\$[./A-Za-z\d]{53}|\$argon2(?:id|i|d)\$[\w=,$+/.-]{20,300}|\$[156]\$[./\w$=]{20,200}|\{S?SHA\d{0,3}\}[\w+/=]{20,200}|pbkdf2_sha\d{1,3}\$\d{1,9}\$[\w+/=$.]{20,200})$/,
    { key: "password_hash", specificity: 0.98, maxLength: 512 },
  ),
  pattern("url_credentials", /^[a-z][a-z\d+.-]{1,20}:\/\/[^\s:@/]{1,100}:[^\s@/]{1,200}@[^\s/]{1,255}/i, {
    specificity: 0.97,
    maxLength: 2048,
  }),
  pattern("iban", /^[A-Z]{2}\d{2}[A-Z\d ]{11,37}$/i, { specificity: 0.98, valid: check.iban, chance: 1 / 97 }),
  pattern("payment_card", /^\d{4}[ -]?\d{4,6}[ -]?\d{4,5}(?:[ -]?\d{1,4})?(?:[ -]?\d{3})?$/, {
    specificity: 0.95,
    valid: (digits) =>
      digits.length >= 13 &&
      digits.length <= 19 &&
      CARD_PREFIX.test(digits) &&
      !check.isRepdigit(digits) &&
      check.luhn(digits),
    chance: 0.06,
  }),
  pattern("us_ssn", /^\d{3}-\d{2}-\d{4}$/, { specificity: 0.93, valid: validSsn, chance: 0.88 }),
  pattern("us_itin", /^9\d{2}-?(?:5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])-?\d{4}$/, { specificity: 0.55 }),
  pattern("br_cpf", /^\d{3}\.?\d{3}\.?\d{3}-?\d{2}$/, { specificity: 0.93, valid: check.cpf, chance: 0.01 }),
  pattern("br_cnpj", /^[A-Z\d]{2}\.?[A-Z\d]{3}\.?[A-Z\d]{3}\/?[A-Z\d]{4}-?\d{2}$/i, {
    specificity: 0.9,
    valid: check.cnpj,
    chance: 0.01,
  }),
  pattern("uk_nino", /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]$/i, {
    specificity: 0.85,
    valid: (text) => !text.includes("000000"),
    chance: 0.9,
  }),
  pattern("es_nif", /^[XYZ\d][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]$/i, {
    specificity: 0.93,
    valid: check.spanishNif,
    chance: 1 / 23,
  }),
  pattern("it_fiscal_code", /^[A-Z]{6}[\dLMNPQRSTUV]{2}[ABCDEHLMPRST][\dLMNPQRSTUV]{2}[A-Z][\dLMNPQRSTUV]{3}[A-Z]$/i, {
    specificity: 0.96,
    valid: check.codiceFiscale,
    chance: 1 / 26,
  }),
  pattern("fr_nir", /^[12378] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d$/i, {
    specificity: 0.94,
    valid: check.frenchNir,
    chance: 1 / 97,
  }),
  pattern("kr_rrn", /^\d{6}-?[1-8]\d{6}$/, {
    specificity: 0.88,
    valid: (digits) => check.isShortDate(digits) && check.koreanRrn(digits),
    chance: 0.004,
  }),
  pattern("se_personnummer", /^(?:18|19|20)?\d{6}[-+]?\d{4}$/, {
    specificity: 0.8,
    valid: (text) =>
      check.isShortDate(text.replace("+", "").slice(-10)) && check.luhn(text.replace("+", "").slice(-10)),
    chance: 0.004,
  }),
  pattern("pl_pesel", /^\d{11}$/, { specificity: 0.85, valid: check.pesel, chance: 0.02 }),
  pattern("de_tax_id", /^[1-9]\d ?\d{3} ?\d{3} ?\d{3}$/, {
    specificity: 0.82,
    valid: check.germanTaxId,
    chance: 0.01,
  }),
  pattern("sg_nric", /^[STFGM]\d{7}[A-Z]$/i, { specificity: 0.93, valid: check.singaporeNric, chance: 1 / 26 }),
  pattern(
    "us_mbi",
    /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?[AC-HJKMNP-RT-Y]{2}\d\d$/i,
    {
      specificity: 0.85,
    },
  ),
  pattern("in_pan", /^[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]$/i, { specificity: 0.85 }),
  pattern("in_aadhaar", /^[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}$/, { specificity: 0.7, valid: check.verhoeff, chance: 0.1 }),
  pattern("uk_nhs", /^\d{3}[ -]?\d{3}[ -]?\d{4}$/, { specificity: 0.62, valid: check.nhsNumber, chance: 1 / 11 }),
  pattern("us_npi", /^[12]\d{9}$/, { specificity: 0.6, valid: check.npi, chance: 0.1 }),
  pattern("au_medicare", /^[2-6]\d{3} ?\d{5} ?\d(?: ?\d)?$/, {
    specificity: 0.55,
    valid: check.australianMedicare,
    chance: 0.1,
  }),
  pattern("ca_sin", /^\d{3}[ -]?\d{3}[ -]?\d{3}$/, { specificity: 0.6, valid: check.canadianSin, chance: 0.08 }),
  pattern("pt_nif", /^[1235689]\d{8}$/, { specificity: 0.58, valid: check.portugueseNif, chance: 0.1 }),
  pattern("au_tfn", /^\d{3} ?\d{3} ?\d{3}$/, { specificity: 0.58, valid: check.australianTfn, chance: 1 / 11 }),
  {
    key: "ip_address",
    entity: "ip_address",
    maxLength: 49,
    specificity: 0.89,
    shape: (value) => (isIp(value) ? value : undefined),
    // Four small numbers are a version; of random addresses one in 4,000 has no part above 31.
    valid: (value) => value.includes(":") || value.split(/[./]/).some((part) => Number(part) > 31),
    chance: 0.5,
  },
  pattern("mac_address", /^[\da-f]{2}(?:[:-][\da-f]{2}){5}$|^[\da-f]{4}\.[\da-f]{4}\.[\da-f]{4}$/i, {
    specificity: 0.95,
  }),
  pattern("device_fingerprint", /^(?:Mozilla|Opera|Dalvik|okhttp)\/\d\.\d/, {
    key: "user_agent",
    specificity: 0.9,
    maxLength: 1024,
  }),
  {
    key: "crypto_wallet",
    entity: "crypto_wallet",
    maxLength: 100,
    specificity: 0.88,
    shape: (value) =>
      /^(?:0x[\da-fA-F]{40}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[a-z\d]{11,71})$/.test(value) ? value : undefined,
    valid: isWallet,
    chance: 0.5,
  },
  {
    key: "geo_coordinate",
    entity: "geo_coordinate",
    maxLength: 60,
    specificity: 0.85,
    shape: (value) =>
      /^\(?[-+]?\d{1,2}\.\d{3,15} ?[,;] ?[-+]?\d{1,3}\.\d{3,15}\)?$|^POINT ?\([-\d. ]{3,50}\)$/i.test(value)
        ? value
        : undefined,
  },
  pattern("postcode", /^(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d|\d{5}-\d{3}|\d{4}-\d{3})$/i, {
    specificity: 0.65,
  }),
  {
    key: "street_address",
    entity: "street_address",
    maxLength: 200,
    specificity: 0.82,
    shape: (value) => (isStreetAddress(value) ? value : undefined),
  },
  {
    key: "person_name",
    entity: "person_name",
    maxLength: 80,
    specificity: 0.85,
    shape: (value) => (isKnownPerson(value) ? value : undefined),
  },
];
