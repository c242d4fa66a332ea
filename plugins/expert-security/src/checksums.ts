/**
 * Check digits of the world's numbers. Every function takes the bare characters (no separators) and is linear in them.
 * `chance` elsewhere is the share of random candidates that pass: it is what a column's pass rate is compared with.
 */

/** Sum of digit times weight; weights beyond the text are ignored. */
export function weighted(text: string, weights: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < weights.length && index < text.length; index++) {
    sum += Number(text[index]) * (weights[index] ?? 0);
  }
  return sum;
}

/** Whether all characters are the same, as in 000000000: passes many checks and belongs to nobody. */
export function isRepdigit(text: string): boolean {
  return text.length > 0 && text === text.charAt(0).repeat(text.length);
}

/** Luhn (ISO/IEC 7812-1): payment cards, SIN, NPI, personnummer. One in ten random numbers passes. */
export function luhn(digits: string): boolean {
  let sum = 0;
  let double = false;
  for (let index = digits.length - 1; index >= 0; index--) {
    let digit = Number(digits[index]);
    if (double) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
    double = !double;
  }
  return digits.length > 1 && sum % 10 === 0;
}

/** Remainder of a long number; letters count as 10 … 35 (ISO 7064), which IBAN needs. */
export function remainder(text: string, modulus: number): number {
  let rest = 0;
  for (const character of text) {
    const value = Number.parseInt(character, 36);
    if (Number.isNaN(value)) return -1;
    rest = (rest * (value > 9 ? 100 : 10) + value) % modulus;
  }
  return rest;
}

/** ISO 7064 MOD 11,10: German tax id. */
export function mod11_10(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

const VERHOEFF_D = [
  "0123456789",
  "1234067895",
  "2340178956",
  "3401289567",
  "4012395678",
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
];
const VERHOEFF_P = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

/** Verhoeff's dihedral check: Aadhaar. */
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    check = Number(VERHOEFF_D[check]?.[Number(VERHOEFF_P[index % 8]?.[digit])]);
  }
  return check === 0;
}

/** Brazil: two check digits of a CPF (chance 1 in 100). */
export function cpf(digits: string): boolean {
  if (digits.length !== 11 || isRepdigit(digits)) return false;
  const check = (length: number) => {
    const weights = Array.from({ length }, (_, index) => length + 1 - index);
    return ((weighted(digits, weights) * 10) % 11) % 10;
  };
  return check(9) === Number(digits[9]) && check(10) === Number(digits[10]);
}

/** Brazil: CNPJ, also alphanumeric as issued from July 2026: a character counts its code minus 48 (IN RFB 2.229/2024). */
export function cnpj(text: string): boolean {
  if (text.length !== 14 || isRepdigit(text)) return false;
  const check = (length: number) => {
    let sum = 0;
    for (let index = 0; index < length; index++) {
      sum += (text.charCodeAt(index) - 48) * (((length - 1 - index) % 8) + 2);
    }
    return sum % 11 < 2 ? 0 : 11 - (sum % 11);
  };
  return check(12) === Number(text[12]) && check(13) === Number(text[13]);
}

/** Spain: letter of NIF and NIE (chance 1 in 23). */
export function spanishNif(text: string): boolean {
  const digits = text.slice(0, -1).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter)));
  return "TRWAGMYFPDXBNJZSQVHLCKE"[Number(digits) % 23] === text.at(-1);
}

const ODD_VALUES = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italy: control letter of the codice fiscale (chance 1 in 26). */
export function codiceFiscale(text: string): boolean {
  let sum = 0;
  for (let index = 0; index < 15; index++) {
    const code = text.charCodeAt(index);
    const value = code >= 65 ? code - 65 : code - 48;
    sum += index % 2 === 0 ? (ODD_VALUES[value] ?? 0) : value;
  }
  return String.fromCharCode(65 + (sum % 26)) === text[15];
}

/** UK: NHS number, modulus 11. */
export function nhsNumber(digits: string): boolean {
  const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
  return check !== 10 && (check === 11 ? 0 : check) === Number(digits[9]) && !isRepdigit(digits);
}

/** Whether `yymmdd` can be a date, the century unknown. */
export function isShortDate(yymmdd: string): boolean {
  const [month, day] = [Number(yymmdd.slice(2, 4)), Number(yymmdd.slice(4, 6))];
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** Poland: PESEL; the month carries the century in steps of 20. */
export function pesel(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 20;
  const day = Number(digits.slice(4, 6));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  return (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) + Number(digits[10])) % 10 === 0;
}

/** Germany: tax id; among the first ten digits exactly one occurs two or three times. */
export function germanTaxId(digits: string): boolean {
  if (digits.startsWith("0") || !mod11_10(digits)) return false;
  return 10 - new Set(digits.slice(0, 10)).size <= 2;
}

/** Portugal: NIF, modulus 11. */
export function portugueseNif(digits: string): boolean {
  const rest = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
  return (rest < 2 ? 0 : 11 - rest) === Number(digits[8]);
}

/** Australia: tax file number (9 digits), modulus 11. */
export function australianTfn(digits: string): boolean {
  return weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && !isRepdigit(digits);
}

/** Australia: Medicare card number. */
export function australianMedicare(digits: string): boolean {
  return weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8]);
}

/** France: NIR (social security); the key is 97 less the remainder. Corsica's 2A and 2B count as 19 and 18. */
export function frenchNir(text: string): boolean {
  const body = text.slice(0, 13).replace("2A", "19").replace("2B", "18");
  return 97 - remainder(body, 97) === Number(text.slice(13));
}

/** Korea: resident registration number (issued before October 2020). */
export function koreanRrn(digits: string): boolean {
  return (11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === Number(digits[12]);
}

/** Singapore: NRIC and FIN (chance 1 in 11). */
export function singaporeNric(text: string): boolean {
  const prefix = text[0] ?? "";
  const offset = prefix === "M" ? 3 : "TG".includes(prefix) ? 4 : 0;
  const rest = (weighted(text.slice(1, 8), [2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
  const letters = prefix === "M" ? "XWUTRQPNJLK" : "ST".includes(prefix) ? "JZIHGFEDCBA" : "XWUTRQPNMLK";
  return (prefix === "M" ? letters[10 - rest] : letters[rest]) === text[8];
}

/** US: National Provider Identifier: Luhn over 80840 and the number. */
export function npi(digits: string): boolean {
  return /^[12]/.test(digits) && luhn(`80840${digits}`);
}

const IBAN_LENGTHS: Record<string, number> = Object.fromEntries(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
    "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
    "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 " +
    "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** IBAN: the country's length (SWIFT registry, release 99) and MOD 97-10 (chance 1 in 97). */
export function iban(text: string): boolean {
  if (IBAN_LENGTHS[text.slice(0, 2)] !== text.length) return false;
  return remainder(text.slice(4) + text.slice(0, 4), 97) === 1;
}

const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BECH32_GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** Bitcoin segwit address: Bech32 (BIP-173) or Bech32m (BIP-350). */
export function bech32(address: string): boolean {
  const text = address.toLowerCase();
  const split = text.lastIndexOf("1");
  const human = Array.from(text.slice(0, split), (one) => one.charCodeAt(0));
  const data = Array.from(text.slice(split + 1), (one) => BECH32.indexOf(one));
  if (split < 1 || data.includes(-1)) return false;
  let check = 1;
  for (const value of [...human.map((one) => one >> 5), 0, ...human.map((one) => one & 31), ...data]) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (let bit = 0; bit < 5; bit++) if ((top >> bit) & 1) check ^= BECH32_GENERATOR[bit] ?? 0;
  }
  return check === 1 || check === 0x2bc830a3;
}

/** Canada's SIN, no leading 0 or 8 (8 is for businesses). */
export function canadianSin(digits: string): boolean {
  return !/^[08]/.test(digits) && luhn(digits);
}
