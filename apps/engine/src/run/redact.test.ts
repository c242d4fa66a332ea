import { describe, expect, test } from "vitest";
import { emailsIn, redactJson, redactText } from "./redact.ts";

describe("the sink redacts", () => {
  test.each([
    ["an e-mail address", "write to ana.silva@example.com now", "write to [e-mail] now"],
    ["a social security number", "ssn 123-45-6789.", "ssn [ssn]."],
    ["a card that passes Luhn", "card 4111 1111 1111 1111", "card [card]"],
    ["an IBAN that passes mod 97", "to DE89 3704 0044 0532 0130 00", "to [iban]"],
  ])("%s", (_, text, redacted) => expect(redactText(text)).toBe(redacted));

  test.each([
    ["a shape", "aaa.aaa@aaa.aaa and 999-99-9999"],
    ["an id that only looks like a card", "run 4111111111111112"],
    ["a UUID", "01939b2c-7c1e-7000-8000-0123456789ab"],
    ["amounts and times", "$1,234,567.89 at 2026-11-23 10:00:00"],
    ["a hash", "sha256 9f86d081884c7d659a2feaa0c55ad015"],
  ])("and leaves alone %s", (_, text) => expect(redactText(text)).toBe(text));

  test("and leaves alone the addresses that a contract shows", () => {
    const allowed = emailsIn({ owner: { email: "Data.Team@example.com" } });
    expect(redactText("ask data.team@example.com, not eve@example.com", allowed)).toBe(
      "ask data.team@example.com, not [e-mail]",
    );
  });

  test("every text of a JSON value, keys included", () => {
    expect(redactJson({ "eve@example.com": ["123-45-6789", 7, null, { a: "ok" }] })).toEqual({
      "[e-mail]": ["[ssn]", 7, null, { a: "ok" }],
    });
  });

  test("a long hostile text in linear time", () => {
    // Processor time, not time on the wall: other tests run beside this one.
    const time = (length: number) => {
      const text = "a.".repeat(length) + "1 ".repeat(length) + "DE00 ".repeat(length);
      const start = process.cpuUsage().user;
      redactText(text);
      return (process.cpuUsage().user - start) / 1000;
    };
    time(2000);
    // Four times the text may take about four times as long; a quadratic pattern would take sixteen.
    expect(time(40_000)).toBeLessThan(10 * time(10_000) + 50);
  });
});
