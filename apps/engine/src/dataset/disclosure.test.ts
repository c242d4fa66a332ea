import { describe, expect, it } from "vitest";
import { type ColumnFacts, shownValues, whyWithheld } from "./disclosure.ts";
import { namesIdentifier, personalWord } from "./name-taxonomy.ts";
import { roundOutwards, roundToMonth } from "./rounding.ts";
import { shapeOf, topShapes } from "./shape.ts";
import { looksPersonal, patternOf } from "./value-patterns.ts";

const text = (name: string, sample: string[], more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name,
  kind: "text",
  filled: 1000,
  distinct: 5,
  sample,
  ...more,
});

describe("what is withheld", () => {
  it.each([
    "email",
    "E-Mail",
    "customerPhone",
    "ssn",
    "first_name",
    "Nachname",
    "fecha_nacimiento",
    "dateOfBirth_dob",
    "billing_address",
    "card_no",
    "iban",
    "ip_address",
    "passwordHash",
    "zip",
    "nombre",
  ])("a column called %s, whatever it holds", (name) => {
    expect(personalWord(name)).toBeDefined();
    expect(whyWithheld(text(name, ["a"]))).not.toBe("");
  });

  it.each(["status", "currency", "product_name", "store_code", "amount", "country_code", "channel", "file_name"])(
    "not a column for being called %s",
    (name) => {
      expect(personalWord(name)).toBeUndefined();
      expect(whyWithheld(text(name, ["abc", "abd"]))).toBe("");
    },
  );

  it.each([
    "ann@example.com",
    "write to ann@example.com now",
    "078-05-1120",
    "123.456.789-09",
    "+49 30 23125 001",
    "(212) 555-0142",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "192.168.1.17",
    "2001:db8:0:0:0:ff00:42:8329",
    "00:1b:63:84:45:e6",
    "https://user@example.com/x",
    "12345678Z",
    "RSSMRA85T10A562S",
    "d41d8cd98f00b204e9800998ecf8427e",
    "12 Main Street",
    "52.5200, 13.4050",
  ])("a column that holds %s once, under a name that tells nothing", (value) => {
    expect(patternOf(value)).toBeDefined();
    expect(whyWithheld(text("x", ["ok", value]))).not.toBe("");
  });

  it("not dates, amounts, codes and words", () => {
    for (const value of ["2024-01-05", "2024-01-05 10:00:00", "19.99", "completed", "US", "0042", "bank_transfer"]) {
      expect(patternOf(value), value).toBeUndefined();
    }
  });

  it("names of people, free text and values of single rows", () => {
    expect(whyWithheld(text("x", ["Ann Smith", "Bob Jones"]))).toContain("names");
    expect(whyWithheld(text("x", ["the quick brown fox jumps over it"]))).toContain("free text");
    expect(whyWithheld(text("x", ["abc"], { distinct: 990 }))).toContain("own");
  });

  it("long whole numbers, and not quantities", () => {
    const numbers = (sample: string[], distinct: number): ColumnFacts => ({
      name: "x",
      kind: "integer",
      filled: 1000,
      distinct,
      sample,
    });
    expect(whyWithheld(numbers(["78051120", "219099999"], 900))).not.toBe("");
    expect(whyWithheld(numbers(["12", "780"], 900))).toBe("");
    expect(namesIdentifier("customer_id") && namesIdentifier("orderId") && !namesIdentifier("paid")).toBe(true);
  });
});

describe("what is shown", () => {
  it("leaves out a value that fewer than ten rows, or than one in a thousand, hold", () => {
    const values = [
      { value: "a", count: 9 },
      { value: "b", count: 50 },
      { value: "c", count: 10 },
    ];
    const shown = (rows: number) => shownValues(text("x", [], { values, distinct: 3 }), rows).map(({ value }) => value);
    expect(shown(69)).toEqual(["b", "c"]);
    expect(shown(40_000)).toEqual(["b"]);
  });

  it("maps every letter and digit of a shape", () => {
    expect(shapeOf("Añn-X9 ½漢ß+é")).toMatch(/^Aaa-A9 9aa\+a$/);
    expect(topShapes(["ab@c.de", "abcd@e.fgh", "a@b.c", "abc@abc.abc"], 1)[0]).toEqual({ shape: "a@a.a", count: 4 });
  });

  it("rounds outwards to three digits and to the month", () => {
    expect([roundOutwards(1234567, 1), roundOutwards(1234567, -1)]).toEqual([1240000, 1230000]);
    expect([roundOutwards(-0.012345, -1), roundOutwards(1.15, -1), roundOutwards(0, 1)]).toEqual([-0.0124, 1.15, 0]);
    expect(roundToMonth(Date.UTC(2026, 10, 23), 1)).toBe(Date.UTC(2026, 11, 1));
  });

  it("takes a column name that is itself a value for personal", () => {
    expect(looksPersonal("ann@example.com") && looksPersonal("078-05-1120")).toBe(true);
    for (const name of ["email", "order_id", "2024", "Main Street", "ip_v4_addr"])
      expect(looksPersonal(name)).toBe(false);
  });
});
