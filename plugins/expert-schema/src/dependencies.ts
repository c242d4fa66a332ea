import type { EncodedColumn } from "./encode.ts";

/** In the sample, rows with equal `determinant` have equal `dependents`, too often for chance. */
export interface Dependency {
  determinant: string;
  dependents: string[];
  /** Columns that determine `determinant` and are determined by it: other names for the same thing. */
  equivalents: string[];
  /** Values of the determinant that occur in two rows or more. */
  groups: number;
  /** Rows with such a value. */
  rows: number;
}

/**
 * A dependency is believed where at least this many violations would be expected if the columns were independent: none at
 * all then has a probability of about e^-20, small enough for the thousands of pairs of a wide table.
 */
const EXPECTED_VIOLATIONS = 20;

interface Determinant {
  column: EncodedColumn;
  groups: number;
  rows: number;
  dependents: Set<string>;
}

/**
 * Functional dependencies of single columns on the sample, without those that follow from others by transitivity. NULL
 * counts as a value of the dependent; rows whose determinant is NULL are left out.
 *
 * @param columns All columns of the sample, equally long.
 * @param determinants Names of the columns that may determine others, the preferred ones first.
 */
export function findDependencies(columns: EncodedColumn[], determinants: string[]): Dependency[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const found: Determinant[] = [];
  for (const name of determinants) {
    const column = byName.get(name);
    const one = column && determinantOf(column, columns);
    if (one && one.dependents.size > 0) found.push(one);
  }
  return reduce(found);
}

function determinantOf(column: EncodedColumn, columns: EncodedColumn[]): Determinant | undefined {
  const repeated = column.counts.filter((count) => count > 1);
  const rows = repeated.reduce((sum, count) => sum + count, 0);
  const comparisons = rows - repeated.length;
  if (comparisons < EXPECTED_VIOLATIONS || column.values.length < 2) return undefined;
  const dependents = new Set<string>();
  for (const other of columns) {
    if (other === column || other.counts.length < 2) continue;
    if (comparisons * diversity(other) < EXPECTED_VIOLATIONS) continue;
    if (determines(column, other)) dependents.add(other.name);
  }
  return { column, groups: repeated.length, rows, dependents };
}

/** Probability that two rows differ: one minus the sum of the squared shares. */
function diversity({ counts, codes, nulls }: EncodedColumn): number {
  const total = codes.length;
  let same = (nulls / total) ** 2;
  for (const count of counts) same += (count / total) ** 2;
  return 1 - same;
}

function determines(left: EncodedColumn, right: EncodedColumn): boolean {
  const first = new Int32Array(left.values.length).fill(-2);
  for (let row = 0; row < left.codes.length; row += 1) {
    const code = left.codes[row] ?? -1;
    if (code < 0) continue;
    const value = right.codes[row] ?? -1;
    if (first[code] === -2) first[code] = value;
    else if (first[code] !== value) return false;
  }
  return true;
}

function reduce(found: Determinant[]): Dependency[] {
  const byName = new Map(found.map((one) => [one.column.name, one]));
  const equivalent = (a: string, b: string) =>
    Boolean(byName.get(a)?.dependents.has(b) && byName.get(b)?.dependents.has(a));
  // The first of each class of equivalents speaks for it: the list is ordered by preference.
  const leaders = found.filter(
    (one, index) => !found.slice(0, index).some((earlier) => equivalent(earlier.column.name, one.column.name)),
  );
  return leaders
    .map((one) => {
      const name = one.column.name;
      const equivalents = [...one.dependents].filter((other) => equivalent(name, other));
      const implied = (target: string) =>
        leaders.some(
          (middle) =>
            middle !== one &&
            one.dependents.has(middle.column.name) &&
            middle.dependents.has(target) &&
            target !== middle.column.name,
        );
      const dependents = [...one.dependents].filter((other) => !equivalents.includes(other) && !implied(other));
      return { determinant: name, dependents, equivalents, groups: one.groups, rows: one.rows };
    })
    .filter(({ dependents, equivalents }) => dependents.length + equivalents.length > 0);
}
