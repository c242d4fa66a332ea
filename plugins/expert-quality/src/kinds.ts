/** How values of a column are compared. */
export type Kind = "number" | "text" | "time" | "boolean" | "other";

/** The kind of DuckDB's type. */
export function kindOf(type: string): Kind {
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|REAL|DECIMAL(\(.*\))?)$/.test(type)) return "number";
  if (/^(VARCHAR|UUID|ENUM.*)$/.test(type)) return "text";
  if (/^(DATE|TIMESTAMP)/.test(type)) return "time";
  return type === "BOOLEAN" ? "boolean" : "other";
}

/** A value in the form that is compared: numbers from the texts of decimals, milliseconds from times. NULL and what cannot be read is `null`. */
export function comparable(value: unknown, kind: Kind): unknown {
  if (value === null || value === undefined) return null;
  if (kind === "number") {
    const number = Number(value);
    return Number.isNaN(number) ? null : number;
  }
  return kind === "time" ? millisOf(value) : value;
}

/** Milliseconds since the epoch of a time as text, taken as UTC where it names no zone; `null` where it is no time. */
export function millisOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return null;
  const iso = value.trim().replace(" ", "T");
  const zoned = /(Z|[+-]\d{2}(:?\d{2})?)$/.test(iso.slice(10)) ? iso.replace(/([+-]\d{2})$/, "$1:00") : iso;
  const millis = Date.parse(zoned === iso && iso.length > 10 && !/(Z|[+-]\d{2}:?\d{2})$/.test(iso) ? `${iso}Z` : zoned);
  return Number.isNaN(millis) ? null : millis;
}
