import { expect, test } from "vitest";
import { findDependencies } from "./dependencies.ts";
import { encodeColumn } from "./encode.ts";
import { findPairs } from "./pairs.ts";

const ROWS = 1_000;
const column = (name: string, value: (row: number) => unknown) =>
  encodeColumn(
    name,
    Array.from({ length: ROWS }, (_, row) => value(row)),
  );
const scatter = (row: number) => (Math.imul(row + 1, 2654435761) >>> 0) % 97;

test("a dependency is found with its support", () => {
  const found = findDependencies([column("a", scatter), column("b", (row) => scatter(row) % 10)], ["a", "b"]);
  expect(found).toEqual([{ determinant: "a", dependents: ["b"], equivalents: [], groups: 97, rows: ROWS }]);
});

test("one exception ends a dependency", () => {
  const b = column("b", (row) => (row === 500 ? "other" : scatter(row) % 10));
  expect(findDependencies([column("a", scatter), b], ["a"])).toEqual([]);
});

test("a dependency that follows from two others is left out", () => {
  const columns = [
    column("a", scatter),
    column("b", (row) => scatter(row) % 20),
    column("c", (row) => (scatter(row) % 20) % 4),
  ];
  expect(
    findDependencies(columns, ["a", "b", "c"]).map(({ determinant, dependents }) => [determinant, dependents]),
  ).toEqual([
    ["a", ["b"]],
    ["b", ["c"]],
  ]);
});

test("columns that determine each other are one determinant, named after the preferred", () => {
  const columns = [column("name", (row) => `n${scatter(row)}`), column("id", scatter)];
  expect(findDependencies(columns, ["id", "name"])).toMatchObject([{ determinant: "id", equivalents: ["name"] }]);
});

test("a nearly constant column proves nothing", () => {
  const rare = column("b", (row) => (row === 3 ? 1 : 0));
  expect(findDependencies([column("a", (row) => (row < 4 ? row : 4 + scatter(row))), rare], ["a"])).toEqual([]);
});

test("unique columns determine nothing that rows could show", () => {
  expect(findDependencies([column("id", (row) => row), column("b", scatter)], ["id"])).toEqual([]);
});

test("pairs are unique only where no combination repeats and nothing is NULL", () => {
  const order = column("order", (row) => Math.floor(row / 10));
  const line = column("line", (row) => row % 10);
  const holed = column("holed", (row) => (row === 9 ? null : row % 10));
  expect(findPairs([order, line, holed], ROWS)).toEqual([["order", "line"]]);
});
