import { describe, expect, test } from "vitest";
import * as check from "./checksums.ts";
import { embeddedIn } from "./embedded.ts";
import { ENTITIES } from "./entities.ts";
import { ColumnTally, shapeOf } from "./observe.ts";
import { RECOGNIZERS } from "./recognizers.ts";

const finds = (key: string, value: string): boolean => {
  const recognizer = RECOGNIZERS.find((one) => one.key === key);
  if (!recognizer) throw new Error(`no recognizer ${key}`);
  const bare = value.length <= recognizer.maxLength ? recognizer.shape(value) : undefined;
  return bare !== undefined && (recognizer.valid?.(bare) ?? true);
};

// Published test numbers of the issuing bodies or made for this table; the second of each row is one digit off.
const NUMBERS: [key: string, right: string, wrong: string][] = [
  ["payment_card", "4012 8888 8888 1881", "4012 8888 8888 1882"],
  ["iban", "DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 01"],
  ["br_cpf", "529.982.247-25", "529.982.247-26"],
  ["br_cnpj", "11.222.333/0001-81", "11.222.333/0001-82"],
  ["br_cnpj", "12ABC34501DE35", "12ABC34501DE36"],
  ["es_nif", "12345678Z", "12345678A"],
  ["es_nif", "X1234567L", "X1234567M"],
  ["it_fiscal_code", "RSSMRA85T10A562S", "RSSMRA85T10A562T"],
  ["pl_pesel", "44051401359", "44051401358"],
  ["de_tax_id", "12345678903", "12345678901"],
  ["pt_nif", "123456789", "123456788"],
  ["in_aadhaar", "3123 4567 8909", "3123 4567 8908"],
  ["uk_nhs", "943 476 5919", "943 476 5918"],
  ["ca_sin", "130 692 544", "130 692 545"],
  ["au_tfn", "123 456 782", "123 456 783"],
  ["us_npi", "1234567893", "1234567894"],
  ["se_personnummer", "871220-2384", "871220-2385"],
  ["kr_rrn", "960121-1021413", "960121-1021414"],
  ["sg_nric", "S2740116C", "S2740116D"],
  ["fr_nir", "1 85 05 78 006 084 91", "1 85 05 78 006 084 92"],
  ["us_ssn", "522-83-2688", "666-83-2688"],
  ["us_itin", "911-70-1234", "911-89-1234"],
  ["uk_nino", "AA 12 34 56 B", "AA 12 34 56 H"],
  ["phone_international", "+1 215-555-0167", "+1 2"],
  ["phone_formatted", "020 7215 5000", "2024-05-01"],
  ["email", "user@xn--80ak6aa92e.com", "info@presidio."],
  ["ip_address", "2001:db8::1", "1.2.3.4"],
  ["ip_address", "192.168.10.77", "192.168.10.777"],
  ["crypto_wallet", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"],
  ["geo_coordinate", "52.52000, 13.40500", "52, 13"],
  ["password_hash", `$2b$12$${"a".repeat(53)}`, "$2b$12$short"],
  ["url_credentials", "postgres://app:secret@db.example.com/x", "https://example.com/a@b"],
];

test.each(NUMBERS)("%s takes %s and refuses %s", (key, right, wrong) => {
  expect(finds(key, right)).toBe(true);
  expect(finds(key, wrong)).toBe(false);
});

describe("check digits", () => {
  test("one random number in about ten passes Luhn: the chance that verdicts reckon with", () => {
    const passed = Array.from({ length: 10_000 }, (_, index) => String(4_000_000_000_000_000 + index * 104_729)).filter(
      check.luhn,
    );
    expect(passed.length / 10_000).toBeCloseTo(0.1, 1);
  });

  test("a swap of neighbours is seen by Verhoeff", () => {
    expect(check.verhoeff("2363")).toBe(true);
    expect(check.verhoeff("3263")).toBe(false);
  });
});

describe("linear time", () => {
  const length = 100_000;
  const repeat = (unit: string): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  const texts = [
    "a",
    "1",
    "@",
    "a@",
    "a.",
    "1-",
    "1 ",
    "1.",
    "+1 ",
    ":",
    "a:",
    "-",
    " ",
    "(",
    "4111 1111 1111 111",
    "-----BEGIN ",
    "eyJ",
    "é",
    "a1",
    "$",
    "://",
    "x@y.",
  ].map(repeat);
  const mixed = texts.map((text) => `${text.slice(0, length / 2)}!${text.slice(length / 2)}`);

  test.each(RECOGNIZERS.map((one) => [one.key, one] as const))(
    "%s takes at most milliseconds on 100 kB",
    (_, { shape, valid }) => {
      const start = performance.now();
      for (const text of [...texts, ...mixed]) {
        const bare = shape(text);
        if (bare !== undefined) valid?.(bare);
      }
      // 44 texts: a quadratic pattern would take minutes.
      expect(performance.now() - start).toBeLessThan(2000);
    },
  );

  test("loose predicates and embedded entities take at most milliseconds on 100 kB", () => {
    const start = performance.now();
    for (const text of [...texts, ...mixed]) {
      for (const { fits } of Object.values(ENTITIES)) fits(text);
      embeddedIn(text);
    }
    expect(performance.now() - start).toBeLessThan(4000);
  });

  test("an observation of adversarial values ends soon", () => {
    const tally = new ColumnTally("c", 100);
    for (const text of [...texts, ...mixed]) tally.add(text);
    const start = performance.now();
    tally.observe("email");
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

test("entities inside a text are found by their form", () => {
  expect(embeddedIn("please write to jane@example.com or call +1 215-555-0167")).toEqual(["email", "phone"]);
  expect(embeddedIn("paid with 4012 8888 8888 1881 yesterday")).toEqual(["payment_card"]);
  expect(embeddedIn("her number is 522-83-2688, she said")).toEqual(["us_ssn"]);
  expect(embeddedIn("[6374628540732951412, 4012888888881881]")).toEqual([]);
  expect(embeddedIn("order 2024-05-01-1234 of 3 items")).toEqual([]);
});

test("a shape holds no letter and no digit of the value", () => {
  expect(shapeOf("Łukasz.O'Neil77@Example.com")).toBe("Aaaa.A'Aaaa99@Aaaa.aaa");
  expect(shapeOf("522-83-2688")).toBe("999-99-9999");
  expect(shapeOf("山田太郎")).toBe("aaa");
});
