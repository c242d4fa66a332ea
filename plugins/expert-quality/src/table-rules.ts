import { boundsOf, numberOf, textsOf } from "./arguments.ts";
import type { Rows } from "./rule.ts";

type Arguments = Record<string, unknown>;

/** A rule on the table as a whole. */
export type TableRule = (kwargs: Arguments, rows: Rows) => { success: boolean; observed?: number };

/** The table expectations of Great Expectations that are evaluated here. */
export const tableRules: Record<string, TableRule> = {
  expect_table_row_count_to_be_between: (kwargs, rows) => within(kwargs, rowsOf(rows)),
  expect_table_row_count_to_equal: (kwargs, rows) => equal(numberOf(kwargs, "value"), rowsOf(rows)),
  expect_table_column_count_to_be_between: (kwargs, rows) => within(kwargs, namesOf(rows).length),
  expect_table_column_count_to_equal: (kwargs, rows) => equal(numberOf(kwargs, "value"), namesOf(rows).length),
  expect_table_columns_to_match_ordered_list(kwargs, rows) {
    const names = namesOf(rows);
    const wanted = textsOf(kwargs, "column_list");
    return { success: names.length === wanted.length && names.every((name, index) => name === wanted[index]) };
  },
  expect_table_columns_to_match_set(kwargs, rows) {
    const names = namesOf(rows);
    const wanted = textsOf(kwargs, "column_set");
    const present = wanted.every((name) => names.includes(name));
    return { success: present && (kwargs.exact_match === false || names.length === wanted.length) };
  },
};

function rowsOf({ rowCount, tableRows }: Rows): number {
  return tableRows ?? rowCount;
}

function within(kwargs: Arguments, observed: number): { success: boolean; observed: number } {
  return { success: boundsOf(kwargs).holds(observed), observed };
}

function equal(value: number, observed: number): { success: boolean; observed: number } {
  return { success: value === observed, observed };
}

function namesOf({ names, columns }: Rows): string[] {
  return names ?? Object.keys(columns);
}
