import { expect, test } from "vitest";
import { countSpelling, emptySpelling, logicalType, spellingOf, spells } from "./logical-type.ts";

test.each([
  ["0", "integer"],
  ["-42", "integer"],
  ["007", "code"],
  ["1234567890123456789", "code"],
  ["1.50", "decimal"],
  ["1,50", "decimal"],
  ["1.5e-10", "decimal"],
  ["12E4", "text"],
  ["yes", "boolean"],
  ["2024-02-29", "date"],
  ["2023-02-29", "text"],
  ["31/12/2024", "date"],
  ["2024-05-01T10:00:00Z", "timestamp"],
  ["2024-05-01 25:00:00", "text"],
  ["6F9619FF-8B86-D011-B42D-00CF4FC964FF", "uuid"],
  ['{"a": 1}', "json"],
  ["{broken", "text"],
  ["1.2.3", "text"],
])("%s spells %s", (text, spelling) => {
  expect(spellingOf(text)).toBe(spelling);
});

function typeOf(texts: string[]) {
  const counts = emptySpelling();
  for (const text of texts) countSpelling(counts, text);
  return logicalType(counts);
}

test("one leading zero keeps a column of digits a code", () => {
  expect(typeOf(["12", "345", "007"])).toMatchObject({ type: "code", share: 1 });
});

test("blanks and words for NULL do not revoke a type", () => {
  expect(typeOf(["1", "", "N/A", "2"])).toMatchObject({ type: "integer", share: 1, texts: 2 });
});

test("integers among decimals are decimals, dates among timestamps are timestamps", () => {
  expect(typeOf(["1", "2.5"])).toMatchObject({ type: "decimal", share: 1 });
  expect(typeOf(["2024-01-01", "2024-01-01 10:00:00"])).toMatchObject({ type: "timestamp", share: 1 });
});

test("a day above 12 tells the order of day and month", () => {
  expect(typeOf(["01/02/2024", "31/01/2024"]).format).toBe("day-month-year");
  expect(typeOf(["01/02/2024", "01/31/2024"]).format).toBe("month-day-year");
  expect(typeOf(["01/02/2024"]).format).toBe("day and month cannot be told apart");
  expect(typeOf(["13/01/2024", "01/31/2024"]).format).toBe("mixed orders");
});

test("a column without a text has no type", () => {
  expect(typeOf([])).toEqual({ type: "text", share: 0, texts: 0 });
});

test("a narrower spelling satisfies a wider type", () => {
  expect(spells("7", "decimal")).toBe(true);
  expect(spells("7.5", "integer")).toBe(false);
  expect(spells(" ", "integer")).toBe(true);
});

test("a hostile text is spelled in linear time", () => {
  const started = performance.now();
  for (const text of ["0".repeat(200_000), `${"1".repeat(100_000)}.`, "[".repeat(50_000), "-".repeat(100_000)])
    spellingOf(text);
  expect(performance.now() - started).toBeLessThan(1_000);
});
