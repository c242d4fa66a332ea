import { expect, test } from "vitest";
import { type KeyColumn, keyCandidates, keyConfidence } from "./keys.ts";
import { tokensOf } from "./names.ts";
import { matches } from "./reference-worker.ts";

const column = (name: string, over: Partial<KeyColumn> = {}): KeyColumn => ({
  name,
  type: "VARCHAR",
  nullCount: 0,
  distinctCount: 100,
  distinctExact: true,
  ...over,
});

test("the identifier of what the table holds comes first", () => {
  const columns = [column("order_id"), column("email"), column("transaction_id")];
  expect(keyCandidates(columns, 100, "customer_transactions").map(({ name }) => name)).toEqual([
    "transaction_id",
    "order_id",
    "email",
  ]);
});

test("NULLs, repetitions, fractions and times make no key", () => {
  const columns = [
    column("a_id", { nullCount: 1 }),
    column("b_id", { distinctCount: 99 }),
    column("c", { type: "DOUBLE" }),
    column("d", { type: "TIMESTAMP" }),
  ];
  expect(keyCandidates(columns, 100, "t")).toEqual([]);
});

test("an estimate near the number of rows stays a candidate", () => {
  expect(keyCandidates([column("id", { distinctCount: 97, distinctExact: false })], 100, "t")).toHaveLength(1);
  expect(keyCandidates([column("id", { distinctCount: 80, distinctExact: false })], 100, "t")).toHaveLength(0);
});

test("one row has no key", () => {
  expect(keyCandidates([column("id", { distinctCount: 1 })], 1, "t")).toEqual([]);
});

test("few rows and an unnatural name lower the confidence", () => {
  expect(keyConfidence(5, 1_000, true)).toBeGreaterThan(keyConfidence(0, 1_000, true));
  expect(keyConfidence(5, 1_000, true)).toBeGreaterThan(keyConfidence(5, 5, true));
});

test("names are split at capitals, signs and accents", () => {
  expect(tokensOf("customer.HTTPServerID")).toEqual(["http", "server", "id"]);
  expect(tokensOf("Código_Cliente")).toEqual(["codigo", "cliente"]);
});

test("a reference matches the same name, or the plain id of the table it names", () => {
  expect(matches(["customer_id", "id"], ["id", "customer_id", "name"], "customers")).toEqual([
    ["customer_id", "id"],
    ["customer_id", "customer_id"],
  ]);
});
