import { expect, test } from "vitest";
import { shapePattern } from "./shape.ts";

const repeat = (texts: string[], count = 20) => texts.map((text) => [text, count] as const);

test("one shape becomes one anchored pattern", () => {
  expect(shapePattern(repeat(["AB-123", "CD-456"]))).toEqual({ regex: "^[A-Z]{2}-[0-9]{3}$", matched: 40, texts: 40 });
});

test("signs that mean something in a pattern are escaped", () => {
  const pattern = shapePattern(repeat(["(1)+[2].{3}", "(4)+[5].{6}"]));
  expect(new RegExp(pattern?.regex ?? "").test("(7)+[8].{9}")).toBe(true);
  expect(new RegExp(pattern?.regex ?? "").test("7)+[8].{9}")).toBe(false);
});

test("runs of varying length keep room", () => {
  const { regex } = shapePattern(repeat(["anna@x.org", "bartholomew@y.org"])) ?? { regex: "" };
  expect(regex).toBe("^[a-z]{1,22}@[a-z]\\.[a-z]{3}$");
});

test("no letter or digit of a text gets into the pattern", () => {
  const { regex } = shapePattern(repeat(["Zq7", "Xw9"])) ?? { regex: "" };
  expect(regex.replace(/\[A-Z\]|\[a-z\]|\[0-9\]|\{[\d,]+\}/g, "")).toBe("^$");
});

test("few rare shapes are left out, many mean that there is no pattern", () => {
  const rare = shapePattern([["123", 990] as const, ["x", 9] as const]);
  expect(rare).toMatchObject({ regex: "^[0-9]{3}$", matched: 990, texts: 999 });
  expect(shapePattern(repeat(["1", "a", "A", "-", "1a"]))).toBeUndefined();
});

test("sentences and letters beyond ASCII have no pattern", () => {
  expect(shapePattern(repeat(["the quick brown fox jumps over the lazy dog"]))).toBeUndefined();
  expect(shapePattern(repeat(["Zürich"]))).toBeUndefined();
  expect(shapePattern([])).toBeUndefined();
});
