import * as z from "zod";
import type { SchemaReport } from "./output.ts";

/** A table that the columns of a dependency would make. */
export const ProposedTable = z.object({
  name: z.string(),
  key: z.array(z.string()),
  columns: z.array(z.string()),
  /** What shows that it is a table of its own. */
  because: z.string(),
});

/** Answer of `suggest_normalization`. */
export const Normalization = z.object({
  dataset: z.string(),
  normal_form: z.string(),
  /** One table per determinant, then what remains of the dataset; empty where nothing is to be split off. */
  tables: z.array(ProposedTable),
});

export type Normalization = z.infer<typeof Normalization>;

/**
 * Splits a table along its dependencies (Heath 1971): the columns that a determinant determines move to a table with the
 * determinant as its key, and the determinant stays behind as a reference. No row and no fact is lost by joining them again.
 */
export function normalize(report: SchemaReport): Normalization {
  const keyColumns = new Set(report.keys.flatMap(({ columns }) => columns));
  const moved = new Set<string>();
  const tables: Normalization["tables"] = [];
  for (const { determinant, dependents, equivalents, rows, groups } of report.dependencies) {
    if (report.keys.some(({ columns }) => columns.length === 1 && columns[0] === determinant)) continue;
    const columns = [...dependents, ...equivalents].filter((name) => !keyColumns.has(name) && !moved.has(name));
    if (columns.length === 0) continue;
    for (const name of columns) moved.add(name);
    tables.push({
      name: tableName(determinant),
      key: [determinant],
      columns: [determinant, ...columns],
      because: `${determinant} determines ${columns.join(", ")}: ${groups} values in ${rows} sampled rows without an exception`,
    });
  }
  if (tables.length === 0) return { dataset: report.dataset, normal_form: report.normal_form, tables };
  const rest = report.columns.map(({ name }) => name).filter((name) => !moved.has(name));
  const because = "what depends on the key alone, and the references to the other tables";
  const remaining = { name: report.dataset, key: report.keys[0]?.columns ?? [], columns: rest, because };
  return { dataset: report.dataset, normal_form: report.normal_form, tables: [...tables, remaining] };
}

/** `customer_id` is the key of `customer`, `store_code` of `store`. */
function tableName(determinant: string): string {
  const name = determinant.replace(/[_\s-]?(id|key|code|no|number|uuid)$/i, "");
  return name === "" || name === determinant ? `${determinant}_values` : name;
}
