import type { Classification } from "./classification.ts";
import type { Contract, Reading } from "./contract.ts";
import { FIELDS, type FieldName } from "./fields.ts";
import type { ProcessingRecord } from "./output.ts";

/** Fields of Article 30(1)(a) to (g) that stay open while the contract is silent. */
const NEEDED: readonly FieldName[] = [
  "controller",
  "contact",
  "purpose",
  "data_subjects",
  "recipients",
  "retention",
  "encryption_at_rest",
];
const MEASURES: readonly FieldName[] = ["encryption_at_rest", "encryption_in_transit", "access_control", "masking"];

/** The record of processing of one dataset, from its contract and the categories that the scan found. */
export function processingRecord(
  activity: string,
  contract: Contract,
  classification: Classification | undefined,
): ProcessingRecord {
  return {
    activity,
    controller: said(contract.controller),
    contact: said(contract.contact),
    purposes: listed(contract.purpose),
    legal_bases: contract.legal_basis.bases,
    data_subjects: listed(contract.data_subjects),
    data_categories: categories(classification),
    recipients: listed(contract.recipients),
    third_countries: said(contract.transfers) || (contract.transfers.state === "denied" ? "none" : ""),
    safeguards: said(contract.safeguard),
    retention: said(contract.retention),
    security_measures: MEASURES.filter((field) => contract[field].state === "given").map(
      (field) => FIELDS[field].label,
    ),
    open_points: NEEDED.filter((field) => !isAnswered(contract[field])).map((field) => FIELDS[field].label),
  };
}

const isAnswered = ({ state }: Reading): boolean => state === "given" || state === "denied";
const said = ({ state, text }: Reading): string => (state === "given" ? text : "");
const listed = ({ state, entries }: Reading): string[] => (state === "given" ? entries : []);

function categories(classification: Classification | undefined): ProcessingRecord["data_categories"] {
  const byEntity = new Map<string, string[]>();
  for (const { entity, column } of classification?.columns ?? []) {
    byEntity.set(entity, [...(byEntity.get(entity) ?? []), column]);
  }
  return [...byEntity].sort(([a], [b]) => (a < b ? -1 : 1)).map(([category, columns]) => ({ category, columns }));
}

/** The record as a document. Texts of the contract are escaped: they cannot add markup of their own. */
export function recordMarkdown(record: ProcessingRecord): string {
  const open = "*open*";
  const list = (items: string[]) => items.map(markdownText).join("; ") || open;
  const rows: [string, string][] = [
    ["Controller (30(1)(a))", markdownText(record.controller) || open],
    ["Contact (30(1)(a))", markdownText(record.contact) || open],
    ["Purposes (30(1)(b))", list(record.purposes)],
    ["Legal basis (6(1))", list(record.legal_bases.map((basis) => basis.replaceAll("_", " ")))],
    ["Data subjects (30(1)(c))", list(record.data_subjects)],
    [
      "Categories of data (30(1)(c))",
      list(
        record.data_categories.map(
          ({ category, columns }) => `${category.replaceAll("_", " ")}: ${columns.join(", ")}`,
        ),
      ),
    ],
    ["Recipients (30(1)(d))", list(record.recipients)],
    ["Third countries (30(1)(e))", markdownText(record.third_countries) || "not stated"],
    ["Safeguards (30(1)(e))", markdownText(record.safeguards) || "none stated"],
    ["Erasure after (30(1)(f))", markdownText(record.retention) || open],
    ["Security measures (30(1)(g))", list(record.security_measures)],
  ];
  return [
    `# Record of processing: ${markdownText(record.activity)}`,
    "",
    "| Article 30(1) | |",
    "|---|---|",
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    "",
    record.open_points.length > 0
      ? `Open: ${record.open_points.join(", ")}.`
      : "Complete as far as the contract tells.",
  ].join("\n");
}

function markdownText(text: string): string {
  return text
    .replace(/[\\`*_[\]<>|#]/g, "\\$&")
    .replace(/\s+/g, " ")
    .trim();
}

/** YAML lines for the fields that are missing, each once. */
export function contractTemplate(fields: readonly FieldName[]): string {
  return [...new Set(fields)].map((field) => FIELDS[field].example).join("\n");
}
