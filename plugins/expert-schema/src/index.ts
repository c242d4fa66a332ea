import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
import { columnFindings } from "./column-findings.ts";
import { InferredTypes, inferTypes } from "./convert.ts";
import { examine } from "./examine.ts";
import { dependencyFindings, tableFindings } from "./findings.ts";
import { Normalization, normalize } from "./normalize.ts";
import { SchemaReport } from "./output.ts";
import { counted, headline, schemaReport } from "./report.ts";

const Input = z.object({
  dataset: z.string().min(1),
  /** Rows that meanings, dependencies and references are learnt from. */
  sample_rows: z.number().int().min(100).max(200_000).default(20_000),
  /** Up to this many rows, keys and types are confirmed on every row. */
  full_scan_rows: z.number().int().min(0).max(5_000_000).default(1_000_000),
});

/** Findings of `infer_types`. */
const TYPE_RULES = new Set(["schema.typed_text", "schema.mixed_types", "schema.code_not_number", "schema.float_money"]);

/** Analyses schemas: columns, meanings, keys, references, dependencies. */
export default defineExpert({
  name: "SchemaExpert",
  version: "0.1.0",
  description: "Analyses schemas: types and meanings of columns, keys, references, functional dependencies.",
  model: "gpt-5.2-thinking",
  actions: {
    analyze_schema: action({
      capability: "schema_analysis",
      description:
        "Finds columns with their meanings, keys, references to datasets beside it, and what depends on what.",
      input: Input,
      output: SchemaReport,
      async execute(input, ctx) {
        const examined = await examine(ctx, input);
        const report = schemaReport(examined);
        for (const finding of tableFindings(examined, report)) ctx.finding(finding);
        for (const finding of columnFindings(examined, report)) ctx.finding(finding);
        for (const { name, reason } of examined.references.unmeasured)
          ctx.log.warn(`references to ${name} were not measured: ${reason}`);
        ctx.context.set(
          "schema.columns",
          report.columns.map(({ name, type, semantic, nullable, distinct_count }) => ({
            name,
            type,
            semantic,
            nullable,
            distinct_count,
          })),
        );
        ctx.context.set(
          "schema.keys",
          report.keys.map(({ columns, exact }) => ({ columns, exact })),
        );
        ctx.context.set("schema.row_count", report.row_count);
        ctx.summary(headline(report));
        return report;
      },
    }),
    infer_types: action({
      capability: "schema_analysis",
      description: "Finds the types that text columns really have, with the SQL that reads them so.",
      input: Input,
      output: InferredTypes,
      async execute(input, ctx) {
        const examined = await examine(ctx, input);
        const report = schemaReport(examined);
        for (const finding of columnFindings(examined, report)) if (TYPE_RULES.has(finding.rule)) ctx.finding(finding);
        const types = inferTypes(report);
        ctx.summary(
          `${types.changed.length} of ${counted(types.columns.length, "column")} have another type than stored`,
        );
        return types;
      },
    }),
    suggest_normalization: action({
      capability: "schema_analysis",
      description: "Splits the table along its functional dependencies.",
      input: Input,
      output: Normalization,
      async execute(input, ctx) {
        const examined = await examine(ctx, input);
        const report = schemaReport(examined);
        for (const finding of dependencyFindings(report)) ctx.finding(finding);
        const proposed = normalize(report);
        ctx.summary(
          proposed.tables.length === 0
            ? `nothing to split off: ${report.normal_form}`
            : `${counted(proposed.tables.length, "table")} instead of one: ${proposed.tables.map(({ name }) => name).join(", ")}`,
        );
        return proposed;
      },
    }),
  },
});
