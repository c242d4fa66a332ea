import { luhn } from "./checksums.ts";
import type { EntityName } from "./entities.ts";

const EMAIL_BEFORE = /[\p{L}\d._%+-]{1,64}$/u;
const EMAIL_AFTER = /^(?:[\p{L}\d-]{1,63}\.){1,4}\p{L}{2,24}/u;
const SSN = /(?:^|[^\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/;
// Groups as printed on the card; without groups only as a word of a sentence, for lists of long numbers pass Luhn by luck.
const CARD_GROUPS = /(?:^|[^\d.-])(\d{4}([ -])\d{4}\2\d{4}\2\d{4}|3[47]\d{2}[ -]\d{6}[ -]\d{5})(?![\d.-])/g;
const CARD_WORD = /[\p{L}:#]{1,20}[ ]((?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6[05]\d{2})\d{12}|3[47]\d{13})(?=[ .,;!?]|$)/gu;
const PHONE = /(?:^|[^\d+])\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}[ .-]\d{3,4}[ .-]?\d{2,4}(?!\d)/;
const SECRET =
  /(?:^|[^\w])(?:A(?:KIA|SIA)[A-Z\d]{16}|gh[pousr]_[A-Za-z\d]{36}|xox[abprs]-[\w-]{10,80}|[rs]k_live_[A-Za-z\d]{16,64})(?!\w)/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----/;

/**
 * Entities inside a longer text: a comment with an address in it. Only what is told with certainty by its form; every
 * quantifier is bounded and starts at a rare character, so the time is linear in the length.
 */
export function embeddedIn(text: string): EntityName[] {
  const found: EntityName[] = [];
  if (text.length < 8) return found;
  if (hasEmail(text)) found.push("email");
  if (text.length < 20 && !/\s/.test(text)) return found;
  if (text.includes("-") && SSN.test(text)) found.push("us_ssn");
  if (text.includes("+") && PHONE.test(text)) found.push("phone");
  if (hasCard(text)) found.push("payment_card");
  if (SECRET.test(text)) found.push("access_token");
  if (text.includes("-----BEGIN") && PRIVATE_KEY.test(text)) found.push("private_key");
  return found;
}

function hasEmail(text: string): boolean {
  for (let at = text.indexOf("@"); at > 0; at = text.indexOf("@", at + 1)) {
    if (EMAIL_BEFORE.test(text.slice(Math.max(0, at - 64), at)) && EMAIL_AFTER.test(text.slice(at + 1, at + 256)))
      return true;
  }
  return false;
}

function hasCard(text: string): boolean {
  for (const pattern of [CARD_GROUPS, CARD_WORD]) {
    for (const [, written = ""] of text.matchAll(pattern)) {
      const digits = written.replace(/\D/g, "");
      if (/^(4|5[1-5]|2[2-7]|3[47]|6)/.test(digits) && luhn(digits)) return true;
    }
  }
  return false;
}
