import { type EntityName, entityOf, type Masking } from "./entities.ts";

/** A column of the view, and how it is masked; without `masking` it passes as it is. */
export interface ViewColumn {
  column: string;
  entity?: EntityName;
  masking?: Masking;
}

/** An SQL identifier in double quotes; quotes inside are doubled, NUL (which no engine accepts) is removed. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll("\0", "").replaceAll('"', '""')}"`;
}

/**
 * The view that others may read, in DuckDB's SQL. Hashes and tokens are keyed by the session variable `masking_key`;
 * while it is unset they are NULL, so that a forgotten key never yields hashes that a dictionary reverses. Columns of
 * nested data cannot be masked leaf by leaf in a view: a root that holds a personal leaf is left out.
 *
 * @param nested whether dots in the columns' names separate the levels of nested data
 */
export function maskedViewSql(table: string, columns: ViewColumn[], nested: boolean): string {
  const rootOf = (column: string) => (nested ? (column.split(/\.|\[\]/)[0] ?? column) : column);
  const closed = new Set(
    columns.filter(({ column, masking }) => masking && rootOf(column) !== column).map(({ column }) => rootOf(column)),
  );
  const lines = new Map<string, string>();
  for (const { column, entity, masking } of columns) {
    const root = rootOf(column);
    if (closed.has(root)) continue;
    const quoted = quoteIdentifier(root);
    lines.set(root, masking ? `${maskExpression(quoted, entity ?? "unscanned", masking)} AS ${quoted}` : quoted);
  }
  const select = [...lines.values()].map((line) => `  ${line}`).join(",\n") || "  NULL AS nothing";
  return [
    "-- SET VARIABLE masking_key = '<a secret>' first: without a key every hash and token is NULL.",
    `CREATE VIEW ${quoteIdentifier(`${table}_masked`)} AS`,
    "SELECT",
    select,
    `FROM ${quoteIdentifier(table)};`,
  ].join("\n");
}

function maskExpression(quoted: string, entity: EntityName, masking: Masking): string {
  const text = `CAST(${quoted} AS VARCHAR)`;
  switch (masking) {
    case "hash":
      return `sha256(getvariable('masking_key') || lower(trim(${text})))`;
    case "tokenise":
      return `'tok_' || left(sha256(getvariable('masking_key') || '${entity}:' || ${text}), 16)`;
    case "generalise":
      return generaliseExpression(quoted, entity);
    case "drop":
      return "CAST(NULL AS VARCHAR)";
  }
}

function generaliseExpression(quoted: string, entity: EntityName): string {
  const text = `CAST(${quoted} AS VARCHAR)`;
  switch (entityOf(entity).kind) {
    case "date_of_birth":
      return `date_trunc('year', TRY_CAST(${quoted} AS DATE))`;
    case "geo_coordinate":
      return `round(TRY_CAST(${quoted} AS DOUBLE), 1)`;
    case "ip_address":
      return `regexp_replace(${text}, '[.:][^.:]*$', '')`;
    default:
      return `left(${text}, 3)`;
  }
}
