import { textsOf } from "./arguments.ts";
import { comparable, kindOf } from "./kinds.ts";
import { type Rows, RuleError } from "./rule.ts";

type Arguments = Record<string, unknown>;

/** A rule on several columns of each row. */
export type RowRule = (kwargs: Arguments, rows: Rows) => { ignored: number; unexpected: number[] };

/** The multi-column map expectations of Great Expectations that are evaluated here. */
export const rowRules: Record<string, RowRule> = {
  expect_column_pair_values_a_to_be_greater_than_b(kwargs, rows) {
    const [a, b] = [column(rows, kwargs.column_A), column(rows, kwargs.column_B)];
    return perRow(rows.rowCount, kwargs.ignore_row_if ?? "both_values_are_missing", {
      values: (row) => [a[row], b[row]],
      holds: ([left, right]) => {
        if (typeof left !== "number" || typeof right !== "number") return false;
        return kwargs.or_equal ? left >= right : left > right;
      },
    });
  },
  expect_column_pair_values_to_be_equal(kwargs, rows) {
    const [a, b] = [column(rows, kwargs.column_A), column(rows, kwargs.column_B)];
    return perRow(rows.rowCount, kwargs.ignore_row_if ?? "both_values_are_missing", {
      values: (row) => [a[row], b[row]],
      holds: ([left, right]) => left === right,
    });
  },
  expect_compound_columns_to_be_unique(kwargs, rows) {
    const columns = textsOf(kwargs, "column_list").map((name) => column(rows, name));
    const keys = Array.from({ length: rows.rowCount }, (_, row) =>
      JSON.stringify(columns.map((values) => values[row])),
    );
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return perRow(rows.rowCount, kwargs.ignore_row_if ?? "all_values_are_missing", {
      values: (row) => columns.map((values) => values[row]),
      holds: (_, row) => counts.get(keys[row] ?? "") === 1,
    });
  },
};

function column({ columns, types }: Rows, name: unknown): unknown[] {
  if (typeof name !== "string" || !Object.hasOwn(columns, name)) throw new RuleError("the column does not exist");
  const type = types && Object.hasOwn(types, name) ? types[name] : undefined;
  const kind = type ? kindOf(type) : "other";
  return (columns[name] ?? []).map((value) => comparable(value, kind));
}

interface PerRow {
  values(row: number): unknown[];
  holds(values: unknown[], row: number): boolean;
}

function perRow(count: number, ignore: unknown, { values, holds }: PerRow): { ignored: number; unexpected: number[] } {
  const unexpected: number[] = [];
  let ignored = 0;
  for (let row = 0; row < count; row += 1) {
    const present = values(row);
    const absent = present.filter((value) => value === null || value === undefined).length;
    const all = /^(both|all)_/.test(String(ignore)) && absent === present.length;
    const some = /^(either|any)_/.test(String(ignore)) && absent > 0;
    if (all || some) ignored += 1;
    else if (!holds(present, row)) unexpected.push(row);
  }
  return { ignored, unexpected };
}
