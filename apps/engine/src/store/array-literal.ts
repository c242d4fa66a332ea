/**
 * Arrays in Postgres' own notation. The driver's way to write them looks at every element; a batch has thousands, and it is known
 * what they are.
 */
export function plainArray(values: readonly (number | bigint | string | null)[]): string {
  let literal = "{";
  for (let i = 0; i < values.length; i++) literal += `${i === 0 ? "" : ","}${values[i] ?? "NULL"}`;
  return `${literal}}`;
}

/** For text of any content. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : quoted(value))).join(",")}}`;
}

function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
