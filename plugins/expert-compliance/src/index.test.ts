import { readFileSync } from "node:fs";
import { conformanceCases, runAction, type Sample } from "@odg/expert-plugin-api/testing";
import { describe, expect, test } from "vitest";
import expert from "./index.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { ValidateGdprOutput } from "./output.ts";

/** Output of detect_pii, as far as this expert reads it. */
const scan = (...columns: [string, string][]): JsonValue => ({
  columns: columns.map(([column, entity]) => ({ column, entity, confidence: 0.95, basis: "values and name" })),
  clean_columns: ["amount"],
});
const CONTACTS = scan(["email", "email"], ["phone", "phone"]);
const WITH_SSN = scan(["email", "email"], ["ssn", "us_ssn"]);

/** A contract that answers everything that may be asked of e-mail addresses. */
const COMPLETE: JsonObject = {
  owner: { team: "payments", contact: "privacy office" },
  purpose: "billing",
  legal_basis: "contract",
  retention: "24 months",
  consent: "not used",
  erasure: "runbook erase-customer",
  masking: { view: "customers_masked" },
  data_subjects: ["customers"],
  recipients: ["finance"],
  encryption_at_rest: true,
  encryption_in_transit: true,
  access_control: "role payments-readers",
  jurisdiction: ["EU"],
  storage: { region: "eu-central-1" },
  transfers: "none",
};
/** As the sample lake's contract is written. */
const SAMPLE_LAKE: JsonObject = {
  dataset: "customer_transactions",
  owner: { team: "payments-analytics", email: "payments-analytics@example.com" },
  purpose: "Reconciliation of payments and analysis of fraud.",
  legal_basis: "contract",
  jurisdiction: ["EU", "US"],
  classification: "confidential",
  data_subjects: "customers",
  recipients: ["finance", "fraud-prevention"],
  storage: { region: "eu-central-1", encryption_at_rest: true, class: "standard" },
  keys: { primary: ["transaction_id"] },
};

const validate = async ({ pii, contract }: { pii?: JsonValue; contract?: JsonObject }) => {
  const outcome = await runAction(
    expert,
    "validate_gdpr",
    { dataset: "t.parquet" },
    {
      tables: { "t.parquet": { columns: {}, ...(contract ? { contract } : {}) } },
      ...(pii === undefined ? {} : { upstream: { any_task_id: pii } }),
    },
  );
  return { ...outcome, output: outcome.output as unknown as ValidateGdprOutput };
};

const samples: Sample[] = [
  {
    action: "validate_gdpr",
    input: { dataset: "t.parquet" },
    options: { tables: { "t.parquet": { columns: {}, contract: SAMPLE_LAKE } }, upstream: { scan: WITH_SSN } },
  },
  { action: "validate_gdpr", input: { dataset: "t.parquet" }, options: { tables: { "t.parquet": { columns: {} } } } },
];
describe("conformance", () => {
  for (const one of conformanceCases(expert, samples)) test(one.name, one.run);
});

test("the version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  expect(expert.version).toBe(manifest.version);
});

test("the summary names what is missing, what is not met first", async () => {
  const { summary } = await validate({ pii: WITH_SSN, contract: SAMPLE_LAKE });
  expect(summary).toMatch(/^GDPR pending: retention policy, consent tracking, /);
});

test("the shared context is read where no predecessor scanned", async () => {
  const { output } = await runAction(
    expert,
    "validate_gdpr",
    { dataset: "t.parquet" },
    {
      tables: { "t.parquet": { columns: {}, contract: COMPLETE } },
      context: { "security.pii": [{ column: "religion", entity: "religion", confidence: 0.9, masking: "drop" }] },
    },
  ).then((outcome) => ({ output: outcome.output as unknown as ValidateGdprOutput }));
  expect(output.articles.find(({ article }) => article === "9")?.status).toBe("not_met");
});

test("findings show the contract's file and field, and no address that stands in it", async () => {
  const outcome = await validate({ pii: WITH_SSN, contract: SAMPLE_LAKE });
  const evidence = outcome.findings.flatMap((finding) => finding.evidence);
  expect(
    evidence.some(({ file, text }) => file === "contract.yaml" && text.startsWith("storage.encryption_at_rest: ")),
  ).toBe(true);
  expect(JSON.stringify([outcome.output, evidence.map(({ text }) => text), outcome.summary])).not.toContain(
    "@example.com",
  );
});

test("the record of processing names categories, open points and escapes markup", async () => {
  const { output } = await validate({ pii: WITH_SSN, contract: { ...SAMPLE_LAKE, purpose: "a | <b>bold</b>" } });
  expect(output.record.data_categories).toEqual([
    { category: "email", columns: ["email"] },
    { category: "us_ssn", columns: ["ssn"] },
  ]);
  expect(output.record.open_points).toEqual(["retention policy"]);
  expect(output.record_markdown).toContain("a \\| \\<b\\>bold\\</b\\>");
});

test("a contract that is missing gets a template to complete", async () => {
  const { output } = await validate({ pii: CONTACTS });
  expect(output.contract_template).toContain("retention: 24 months");
});

test("odd contracts are no fault", async () => {
  const odd: JsonObject[] = [
    {},
    { owner: null },
    { a: { b: { c: { d: { e: { f: { g: "deep" } } } } } } },
    { purpose: "x".repeat(100_000) },
    { retention: [[["1 year"]]] },
  ];
  for (const contract of odd) expect((await validate({ pii: CONTACTS, contract })).summary).not.toBe("");
});
