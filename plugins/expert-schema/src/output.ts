import * as z from "zod";

/** One leaf column, as the schema expert sees it. */
export const SchemaColumn = z.object({
  name: z.string(),
  /** DuckDB's type. */
  type: z.string(),
  /** What the texts of a text column spell; otherwise the type in small letters. */
  logical_type: z.string(),
  semantic: z.string(),
  /** What shows the semantic. */
  because: z.string(),
  nullable: z.boolean(),
  null_share: z.number(),
  distinct_count: z.number().int(),
  distinct_exact: z.boolean(),
});

/** Columns that identify a row. */
export const SchemaKey = z.object({
  columns: z.array(z.string()),
  exact: z.boolean(),
  checked_on: z.string(),
  confidence: z.number(),
});

/** A column whose values are found in a unique column beside this dataset. */
export const ForeignKey = z.object({
  column: z.string(),
  dataset: z.string(),
  referenced_column: z.string(),
  /** Different values of the sample that were looked up. */
  values: z.number().int(),
  /** Those of them that were found. */
  included: z.number().int(),
});

/** On the sample, equal values of `determinant` go with equal values of `dependents`. */
export const SchemaDependency = z.object({
  determinant: z.string(),
  dependents: z.array(z.string()),
  equivalents: z.array(z.string()),
  groups: z.number().int(),
  rows: z.number().int(),
});

/** A text column whose texts spell another type. */
export const TypedText = z.object({
  column: z.string(),
  type: z.string(),
  format: z.string().optional(),
  /** Share of the texts that spell it. */
  share: z.number(),
  texts: z.number().int(),
  checked_on: z.string(),
});

/** Answer of `analyze_schema`. */
export const SchemaReport = z.object({
  dataset: z.string(),
  row_count: z.number().int(),
  sampled_rows: z.number().int(),
  columns: z.array(SchemaColumn),
  keys: z.array(SchemaKey),
  foreign_keys: z.array(ForeignKey),
  dependencies: z.array(SchemaDependency),
  typed_texts: z.array(TypedText),
  /** Highest normal form that nothing seen contradicts: `none`, `1NF`, `2NF` or `3NF`; `unknown` without a key. */
  normal_form: z.enum(["none", "1NF", "2NF", "3NF", "unknown"]),
  /** Columns whose name or values suggest personal data. */
  pii_candidates: z.array(z.string()),
});

export type SchemaReport = z.infer<typeof SchemaReport>;
export type SchemaColumn = z.infer<typeof SchemaColumn>;
export type TypedText = z.infer<typeof TypedText>;
