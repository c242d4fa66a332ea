import * as z from "zod";

/** What `validate_gdpr` is asked. */
export const ValidateGdprInput = z.object({ dataset: z.string().min(1).describe("Path or URI of the dataset.") });

const Status = z.enum(["met", "not_met", "unknown", "not_applicable"]);

/** The answer for one article. */
export const ArticleOutput = z.object({
  article: z.string().describe("As the law counts it: 5(1)(e)."),
  title: z.string(),
  status: Status,
  missing: z.array(z.string()).describe("What is missing or wrong, in words."),
  fields: z.array(z.object({ field: z.string(), path: z.string(), status: Status })),
  remedy: z.string(),
  source: z.string(),
});

/** The record of processing activities of Article 30(1); empty texts are open points. */
export const ProcessingRecord = z.object({
  activity: z.string(),
  controller: z.string(),
  contact: z.string(),
  purposes: z.array(z.string()),
  legal_bases: z.array(z.string()),
  data_subjects: z.array(z.string()),
  data_categories: z.array(z.object({ category: z.string(), columns: z.array(z.string()) })),
  recipients: z.array(z.string()),
  third_countries: z.string(),
  safeguards: z.string(),
  retention: z.string(),
  security_measures: z.array(z.string()),
  open_points: z.array(z.string()),
});
/** The record of processing activities. */
export type ProcessingRecord = z.output<typeof ProcessingRecord>;

/** What `validate_gdpr` answers. */
export const ValidateGdprOutput = z.object({
  articles: z.array(ArticleOutput),
  personal_data: z.boolean().nullable().describe("null where nobody has looked."),
  classification_source: z.string(),
  contract_source: z.string().describe("File name of the contract; empty without one."),
  missing: z.array(z.string()).describe("All that is missing, each once, what is not met first."),
  record: ProcessingRecord,
  record_markdown: z.string(),
  contract_template: z.string().describe("YAML of the fields that are missing, ready to be completed."),
});
/** What `validate_gdpr` answers. */
export type ValidateGdprOutput = z.output<typeof ValidateGdprOutput>;
