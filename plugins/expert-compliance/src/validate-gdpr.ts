import type { ActionContext } from "@odg/expert-plugin-api";
import type * as z from "zod";
import { classify } from "./classification.ts";
import { readContract } from "./contract.ts";
import { type ArticleResult, evaluate } from "./evaluate.ts";
import { report } from "./findings.ts";
import { GDPR_RULES } from "./gdpr-rules.ts";
import type { ValidateGdprInput, ValidateGdprOutput } from "./output.ts";
import { contractTemplate, processingRecord, recordMarkdown } from "./record.ts";

/** Applies the rules to the contract and to what the security task found. Reads neither rows nor profiles. */
export async function validateGdpr(
  { dataset }: z.output<typeof ValidateGdprInput>,
  ctx: ActionContext,
): Promise<ValidateGdprOutput> {
  const { info } = await ctx.datasets.open(dataset);
  const contract = readContract(info.contract);
  const classification = classify(ctx.upstream, (await ctx.context.get("security.pii"))?.value, contract);
  ctx.progress(0.3, "contract and classification read");
  const facts = { classification, contract, hasContract: info.contract !== undefined };
  const results = GDPR_RULES.map((rule) => evaluate(rule, facts));
  ctx.progress(0.7, `${results.length} articles checked`);
  const subject = { table: info.name, contractSource: info.contractSource, classification };
  report(results, subject, ctx);
  const output = outputOf(results, subject);
  const record = processingRecord(info.name, contract, classification);
  ctx.context.set(
    "compliance.gdpr",
    output.articles.map(({ article, status, missing }) => ({ article, status, missing })),
  );
  ctx.summary(summaryOf(results, output.missing));
  ctx.progress(1, "reported");
  return { ...output, record, record_markdown: recordMarkdown(record) };
}

type Subject = Parameters<typeof report>[1];

function outputOf(
  results: ArticleResult[],
  { contractSource, classification }: Subject,
): Omit<ValidateGdprOutput, "record" | "record_markdown"> {
  const missing = (status: ArticleResult["status"]) =>
    results.filter((one) => one.status === status).flatMap((one) => one.missing);
  const open = results
    .filter(({ status }) => status === "not_met" || status === "unknown")
    .flatMap(({ fields }) => fields.filter(({ status }) => status !== "met").map(({ field }) => field));
  return {
    articles: results.map(({ rule, status, missing: words, fields }) => ({
      article: rule.article,
      title: rule.title,
      status,
      missing: words,
      fields: fields.map(({ field, reading, status: fieldStatus }) => ({
        field,
        path: reading.path,
        status: fieldStatus,
      })),
      remedy: rule.remedy,
      source: rule.source,
    })),
    personal_data: classification?.personal ?? null,
    classification_source: classification?.source ?? "",
    contract_source: contractSource,
    missing: [...new Set([...missing("not_met"), ...missing("unknown")])],
    contract_template: contractTemplate(open),
  };
}

function summaryOf(results: ArticleResult[], missing: string[]): string {
  const count = (status: ArticleResult["status"]) => results.filter((one) => one.status === status).length;
  if (count("not_applicable") === results.length) return "GDPR: no personal data found, no article applies";
  if (missing.length === 0) return `GDPR: ${count("met")} articles met`;
  const shown = missing.slice(0, 3).join(", ");
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
  return `GDPR pending: ${shown}${more} missing (${count("not_met")} ${count("not_met") === 1 ? "article" : "articles"} not met, ${count("unknown")} unknown)`;
}
