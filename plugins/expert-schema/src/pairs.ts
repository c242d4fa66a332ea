import type { EncodedColumn } from "./encode.ts";

/**
 * Pairs of columns whose combination is unique on the sample, in the order of the columns given. Pairs with
 * fewer combinations than rows cannot be unique and are passed over.
 */
export function findPairs(columns: EncodedColumn[], rows: number): [string, string][] {
  const found: [string, string][] = [];
  if (rows < 2) return found;
  for (const [index, left] of columns.entries()) {
    for (const right of columns.slice(index + 1)) {
      if (left.nulls > 0 || right.nulls > 0) continue;
      if (left.values.length * right.values.length < rows) continue;
      if (isUnique(left, right)) found.push([left.name, right.name]);
    }
  }
  return found;
}

function isUnique(left: EncodedColumn, right: EncodedColumn): boolean {
  const seen = new Set<number>();
  const width = right.values.length;
  for (let row = 0; row < left.codes.length; row += 1) {
    const combination = (left.codes[row] ?? 0) * width + (right.codes[row] ?? 0);
    if (seen.has(combination)) return false;
    seen.add(combination);
  }
  return true;
}
