import { expect, test } from "vitest";
import { closest, quote } from "./issue.ts";

test.each([
  ["schem", "schema"],
  ["SCHEMA", "schema"],
  ["siez", "size"],
  ["x", undefined],
  ["completely else", undefined],
  ["", undefined],
  ["s".repeat(5_000), undefined],
])("what is closest to %.20s", (name, found) => {
  expect(closest(name, ["a", "schema", "size"])).toBe(found);
});

test("a hostile name is cut, and its quotes and line breaks are escaped", () => {
  expect(quote('a"\n')).toBe('"a\\"\\n"');
  expect(quote("x".repeat(1_000))).toHaveLength(67);
});
