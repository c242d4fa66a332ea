import * as z from "zod";

/** What happens to a column before others may read it. */
export const Masking = z.enum(["hash", "tokenise", "generalise", "drop"]);
export type Masking = z.output<typeof Masking>;

/** Families of entities: what a reader and a law distinguish. */
export type Kind =
  | "person_name"
  | "email"
  | "phone"
  | "street_address"
  | "postcode"
  | "geo_coordinate"
  | "date_of_birth"
  | "national_id"
  | "payment_card"
  | "card_security_code"
  | "bank_account"
  | "credential"
  | "username"
  | "ip_address"
  | "device_fingerprint"
  | "health"
  | "special_category"
  | "unscanned";

/** One kind of personal data. */
export interface Entity {
  /** Words for people. */
  label: string;
  kind: Kind;
  /** What a leak costs the person: 1 singles out with other data, 2 names or reaches, 3 lets others act or discriminate. */
  sensitivity: 1 | 2 | 3;
  masking: Masking;
  /** Whether a value could be one at all; a name whose values mostly could not is not believed. */
  fits(value: string): boolean;
}

const digitCount = (value: string): number => value.replace(/\D/g, "").length;
const anyText = (value: string): boolean => value.length > 0;
const idLike = (value: string): boolean =>
  value.length >= 5 && value.length <= 30 && digitCount(value) >= 2 && /^[\p{L}\d .\-/]+$/u.test(value);
const nationalDigits = (low: number, high: number) => (value: string) =>
  value.length <= 24 && /^[\dA-Za-z .\-/]+$/.test(value) && digitCount(value) >= low && digitCount(value) <= high;

const PERSON = /^[\p{L}\p{M}][\p{L}\p{M}'’`´.,\-() "]{0,79}$/u;
const DATE =
  /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}|(19|20)\d{6})([T ].{0,20})?$/;

/** Whether a text is a day between 1900 and 2029, in any usual order. */
export function isDate(value: string): boolean {
  if (value.length > 40 || !DATE.test(value)) return false;
  const year = /(?:^|\D)((?:19|20)\d\d)(?:\D|$)/.exec(value)?.[1] ?? value.slice(0, 4);
  return /^\d{1,2}\D.{1,12}\D\d\d$/.test(value) || (Number(year) >= 1900 && Number(year) < 2030);
}

/** A person's name or part of one: letters, few marks, no digits, not a sentence. */
export function isPersonLike(value: string): boolean {
  return (
    value.length <= 80 && PERSON.test(value) && value.split(/\s+/).length <= 6 && /\p{L}{2}|^\p{L}\.?$/u.test(value)
  );
}

const isNumberWithin = (limit: number) => (value: string) =>
  value.length <= 24 && /^[-+]?\d{1,3}(\.\d{1,17})?$/.test(value) && Math.abs(Number(value)) <= limit;

const id = (label: string, fits: Entity["fits"] = idLike): Entity => ({
  label,
  kind: "national_id",
  sensitivity: 3,
  masking: "tokenise",
  fits,
});
const special = (label: string, kind: Kind = "special_category"): Entity => ({
  label,
  kind,
  sensitivity: 3,
  masking: "drop",
  fits: anyText,
});
const secret = (label: string, fits: Entity["fits"]): Entity => ({
  label,
  kind: "credential",
  sensitivity: 3,
  masking: "drop",
  fits,
});

/** Every entity that `detect_pii` can report, by its stable name. */
export const ENTITIES = {
  email: {
    label: "e-mail address",
    kind: "email",
    sensitivity: 2,
    masking: "hash",
    fits: (value) => value.length <= 320 && /^[^\s@]+@[^\s@]+$/.test(value),
  },
  phone: {
    label: "phone number",
    kind: "phone",
    sensitivity: 2,
    masking: "tokenise",
    fits: (value) =>
      value.length <= 40 &&
      /^[+(\d][\d\s().\-/+]*( ?(x|ext\.?) ?\d{1,6})?$/i.test(value) &&
      digitCount(value) >= 6 &&
      digitCount(value) <= 19,
  },
  person_name: {
    label: "name of a person",
    kind: "person_name",
    sensitivity: 2,
    masking: "tokenise",
    fits: isPersonLike,
  },
  street_address: {
    label: "street address",
    kind: "street_address",
    sensitivity: 2,
    masking: "drop",
    fits: (value) =>
      value.length >= 4 && value.length <= 250 && /\p{L}{2}/u.test(value) && !/[@{}<>=]|:\/\//.test(value),
  },
  postcode: {
    label: "postcode",
    kind: "postcode",
    sensitivity: 1,
    masking: "generalise",
    fits: (value) => value.length <= 12 && /^(?=[^\d]*\d)[A-Za-z\d][A-Za-z\d -]{1,11}$/.test(value),
  },
  latitude: {
    label: "latitude",
    kind: "geo_coordinate",
    sensitivity: 1,
    masking: "generalise",
    fits: isNumberWithin(90),
  },
  longitude: {
    label: "longitude",
    kind: "geo_coordinate",
    sensitivity: 1,
    masking: "generalise",
    fits: isNumberWithin(180),
  },
  geo_coordinate: {
    label: "coordinates",
    kind: "geo_coordinate",
    sensitivity: 1,
    masking: "drop",
    fits: (value) => value.length <= 80 && /\d\.\d/.test(value),
  },
  date_of_birth: {
    label: "date of birth",
    kind: "date_of_birth",
    sensitivity: 2,
    masking: "generalise",
    fits: (value) => isDate(value) || /^(19\d\d|20[0-2]\d)$/.test(value),
  },
  username: {
    label: "user name",
    kind: "username",
    sensitivity: 1,
    masking: "tokenise",
    fits: (value) => value.length >= 2 && value.length <= 64 && /^[^\s]+$/.test(value) && /\p{L}/u.test(value),
  },
  ip_address: {
    label: "IP address",
    kind: "ip_address",
    sensitivity: 1,
    masking: "generalise",
    fits: (value) => value.length <= 49 && /^[\da-fA-F.:/%]{3,}$/.test(value) && /[.:]/.test(value),
  },
  mac_address: {
    label: "MAC address",
    kind: "device_fingerprint",
    sensitivity: 1,
    masking: "hash",
    fits: (value) => value.length <= 23 && /^[\da-fA-F:.-]{12,}$/.test(value),
  },
  device_fingerprint: {
    label: "identifier or fingerprint of a device",
    kind: "device_fingerprint",
    sensitivity: 1,
    masking: "hash",
    fits: (value) => value.length >= 8,
  },
  payment_card: {
    label: "payment card number",
    kind: "payment_card",
    sensitivity: 3,
    masking: "tokenise",
    fits: nationalDigits(12, 19),
  },
  card_security_code: {
    label: "card security code",
    kind: "card_security_code",
    sensitivity: 3,
    masking: "drop",
    fits: (value) => /^\d{1,4}$/.test(value),
  },
  iban: {
    label: "IBAN",
    kind: "bank_account",
    sensitivity: 3,
    masking: "tokenise",
    fits: (value) => value.length <= 42 && /^[A-Za-z]{2}\d{2}[A-Za-z\d ]{10,}$/.test(value),
  },
  bank_account: { label: "bank account", kind: "bank_account", sensitivity: 3, masking: "tokenise", fits: idLike },
  crypto_wallet: {
    label: "crypto wallet address",
    kind: "bank_account",
    sensitivity: 2,
    masking: "hash",
    fits: (value) => value.length >= 20 && value.length <= 120 && /^[\dA-Za-z:]+$/.test(value),
  },
  password: secret("password or its hash", (value) => value.length >= 4 && value.length <= 512 && !isDate(value)),
  access_token: secret("key or token that grants access", (value) => value.length >= 12),
  private_key: secret("private key", (value) => value.length >= 64),
  url_credentials: secret("URL with a password in it", (value) => value.includes("://") && value.includes("@")),
  us_ssn: id("US social security number", nationalDigits(4, 9)),
  us_itin: id("US individual taxpayer number", nationalDigits(9, 9)),
  br_cpf: id("Brazilian CPF", nationalDigits(8, 11)),
  br_cnpj: id("Brazilian CNPJ", nationalDigits(6, 14)),
  uk_nino: id("UK national insurance number", nationalDigits(6, 6)),
  uk_nhs: id("UK NHS number", nationalDigits(10, 10)),
  es_nif: id("Spanish NIF or NIE", nationalDigits(7, 8)),
  it_fiscal_code: id("Italian codice fiscale", nationalDigits(5, 11)),
  de_tax_id: id("German tax id", nationalDigits(10, 13)),
  fr_nir: id("French social security number", nationalDigits(13, 15)),
  pl_pesel: id("Polish PESEL", nationalDigits(10, 11)),
  pt_nif: id("Portuguese NIF", nationalDigits(9, 9)),
  in_aadhaar: id("Indian Aadhaar", nationalDigits(12, 12)),
  in_pan: id("Indian PAN", nationalDigits(4, 4)),
  ca_sin: id("Canadian SIN", nationalDigits(9, 9)),
  au_tfn: id("Australian tax file number", nationalDigits(8, 9)),
  au_medicare: id("Australian Medicare number", nationalDigits(10, 11)),
  se_personnummer: id("Swedish personnummer", nationalDigits(10, 12)),
  kr_rrn: id("Korean resident registration number", nationalDigits(13, 13)),
  sg_nric: id("Singaporean NRIC or FIN", nationalDigits(7, 7)),
  us_mbi: { ...id("US Medicare beneficiary id"), kind: "health" },
  us_npi: { ...id("US provider number (NPI)", nationalDigits(10, 10)), sensitivity: 2 },
  national_id: id("national or tax identification number"),
  passport: id("passport number"),
  driver_licence: id("driving licence number"),
  licence_plate: { ...id("vehicle registration"), sensitivity: 1 },
  health: special("data about health", "health"),
  ethnicity: special("ethnic origin"),
  religion: special("religious belief"),
  political_opinion: special("political opinion"),
  trade_union: special("trade union membership"),
  sexual_life: special("sexual life or orientation"),
  biometric: special("biometric data"),
  genetic: special("genetic data"),
  unscanned: {
    label: "values that could not be looked at",
    kind: "unscanned",
    sensitivity: 2,
    masking: "drop",
    fits: anyText,
  },
} as const satisfies Record<string, Entity>;

/** Stable name of an entity. */
export type EntityName = keyof typeof ENTITIES;

/** The entity's row, widened to {@link Entity}. */
export function entityOf(name: EntityName): Entity {
  return ENTITIES[name];
}

/** Kinds that GDPR Article 9(1) names. */
export function isSpecialCategory(name: EntityName): boolean {
  const { kind } = entityOf(name);
  return kind === "health" || kind === "special_category";
}
