import * as z from "zod";
import { Masking } from "./entities.ts";

/** What `detect_pii` is asked. */
export const DetectPiiInput = z.object({
  dataset: z.string().min(1).describe("Path or URI of the dataset."),
  sample_rows: z.number().int().min(100).max(1_000_000).default(20_000).describe("Rows of the seeded sample."),
  budget_ms: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(60_000)
    .describe("Time for looking at values; columns left over are treated as personal data."),
});

const share = z.number().min(0).max(1);

/** A column that holds personal data. */
export const PiiColumn = z.object({
  column: z.string(),
  entity: z.string().describe("Stable name: email, us_ssn, payment_card …"),
  kind: z.string().describe("Family of the entity: email, national_id, credential …"),
  label: z.string(),
  confidence: share,
  sensitivity: z.number().int().min(1).max(3),
  special_category: z.boolean().describe("Named in GDPR Article 9(1)."),
  masking: Masking,
  basis: z.enum(["values", "name", "values and name", "text inside values", "not looked at"]),
  evidence: z.object({
    match_share: share.optional().describe("Share of the values that have the entity's form."),
    valid_share: share.optional().describe("Share of those that pass its check digits or rules."),
    shape: z.string().optional().describe("Most frequent shape: a letter, 9 digit."),
    name_term: z.string().optional().describe("Words of the column's name that say the entity."),
    values_seen: z.number().int(),
  }),
});
/** A column that holds personal data. */
export type PiiColumn = z.output<typeof PiiColumn>;

/** What `detect_pii` answers. */
export const DetectPiiOutput = z.object({
  columns: z.array(PiiColumn).describe("Columns with personal data, in the order of the file."),
  clean_columns: z.array(z.string()),
  quasi_identifiers: z.array(z.string()).describe("Columns that single people out together with others."),
  columns_looked_at: z.number().int(),
  rows_looked_at: z.number().int(),
  row_count: z.number().int(),
  unread: z.array(z.string()).describe("Columns whose values could not be looked at: their names decided."),
  masked_view_sql: z.string().describe("DuckDB SQL of a view with the proposed masking; empty without personal data."),
});
/** What `detect_pii` answers. */
export type DetectPiiOutput = z.output<typeof DetectPiiOutput>;
