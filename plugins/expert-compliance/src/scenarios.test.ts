import { runAction } from "@odg/expert-plugin-api/testing";
import { describe, expect, test } from "vitest";
import expert from "./index.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { ValidateGdprOutput } from "./output.ts";

type Status = "met" | "not_met" | "unknown" | "not_applicable";

/** Output of detect_pii, as far as this expert reads it. */
const scan = (...columns: [string, string][]): JsonValue => ({
  columns: columns.map(([column, entity]) => ({ column, entity, confidence: 0.95, basis: "values and name" })),
  clean_columns: ["amount"],
});
const CONTACTS = scan(["email", "email"], ["phone", "phone"]);
const WITH_SSN = scan(["email", "email"], ["ssn", "us_ssn"]);
const HEALTH = scan(["diagnosis", "health"]);
const NOTHING = scan();

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
const without = (...fields: string[]): JsonObject =>
  Object.fromEntries(Object.entries(COMPLETE).filter(([field]) => !fields.includes(field)));
const complete = (changes: JsonObject): JsonObject => ({ ...COMPLETE, ...changes });

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

interface Scenario {
  name: string;
  pii?: JsonValue;
  contract?: JsonObject;
  /** Expected status by article. */
  expect: Record<string, Status>;
  /** Words that must stand among what is missing. */
  missing?: string[];
}

/** Written by hand from the law's text, before the rules ran on them. */
const SCENARIOS: Scenario[] = [
  {
    name: "a complete contract for contact data",
    pii: scan(["email", "email"]),
    contract: without("masking"),
    expect: {
      "5(1)(e)": "met",
      "6": "met",
      "7": "not_applicable",
      "9": "not_applicable",
      "17": "met",
      "25": "unknown",
      "30": "met",
      "32": "met",
      "35": "not_applicable",
      "44-49": "not_applicable",
    },
  },
  {
    name: "no personal data: nothing applies",
    pii: NOTHING,
    contract: SAMPLE_LAKE,
    expect: {
      "5(1)(e)": "not_applicable",
      "6": "not_applicable",
      "30": "not_applicable",
      "32": "not_applicable",
      "44-49": "not_applicable",
    },
  },
  {
    name: "the sample lake",
    pii: scan(["email", "email"], ["phone", "phone"], ["ssn", "us_ssn"]),
    contract: SAMPLE_LAKE,
    expect: {
      "5(1)(e)": "not_met",
      "6": "met",
      "7": "unknown",
      "9": "not_applicable",
      "17": "unknown",
      "25": "unknown",
      "30": "not_met",
      "32": "unknown",
      "35": "unknown",
      "44-49": "unknown",
    },
    missing: ["retention policy", "consent tracking", "erasure procedure", "encryption in transit"],
  },
  {
    name: "no contract at all",
    pii: CONTACTS,
    expect: { "5(1)(e)": "unknown", "6": "unknown", "7": "unknown", "30": "not_met", "32": "unknown" },
    missing: ["retention policy", "legal basis"],
  },
  {
    name: "nobody has scanned the data",
    contract: COMPLETE,
    expect: { "5(1)(e)": "unknown", "6": "unknown", "9": "unknown", "30": "unknown" },
    missing: ["classification of the columns (run detect_pii first)"],
  },
  {
    name: "the contract declares personal data and nobody has scanned",
    contract: complete({ contains_pii: true }),
    expect: { "5(1)(e)": "met", "6": "met" },
  },
  {
    name: "retention as an ISO period",
    pii: CONTACTS,
    contract: complete({ retention: "P7Y" }),
    expect: { "5(1)(e)": "met" },
  },
  {
    name: "retention in days by the field's name",
    pii: CONTACTS,
    contract: { ...without("retention"), retention_days: 365 },
    expect: { "5(1)(e)": "met" },
  },
  {
    name: "retention as number and unit",
    pii: CONTACTS,
    contract: complete({ retention: { value: 3, unit: "years" } }),
    expect: { "5(1)(e)": "met" },
  },
  {
    name: "retention for ever",
    pii: CONTACTS,
    contract: complete({ retention: "indefinite" }),
    expect: { "5(1)(e)": "not_met", "30": "not_met" },
  },
  {
    name: "retention to be determined",
    pii: CONTACTS,
    contract: complete({ retention: "TBD" }),
    expect: { "5(1)(e)": "not_met" },
    missing: ["retention policy"],
  },
  {
    name: "retention as an ODCS property",
    pii: CONTACTS,
    contract: { ...without("retention"), slaProperties: [{ property: "retention", value: 3, unit: "y" }] },
    expect: { "5(1)(e)": "met" },
  },
  {
    name: "retention in the data contract specification",
    pii: CONTACTS,
    contract: { ...without("retention"), servicelevels: { retention: { period: "P1Y" } } },
    expect: { "5(1)(e)": "met" },
  },
  {
    name: "retention of a column does not count for the dataset",
    pii: CONTACTS,
    contract: { ...without("retention"), columns: [{ name: "email", retention: "1 year" }] },
    expect: { "5(1)(e)": "not_met" },
  },
  {
    name: "no legal basis",
    pii: CONTACTS,
    contract: without("legal_basis"),
    expect: { "6": "not_met" },
    missing: ["legal basis"],
  },
  {
    name: "no purpose",
    pii: CONTACTS,
    contract: without("purpose"),
    expect: { "6": "not_met", "30": "not_met" },
    missing: ["purpose of processing"],
  },
  {
    name: "a legal basis that is none",
    pii: CONTACTS,
    contract: complete({ legal_basis: "because we can" }),
    expect: { "6": "not_met" },
  },
  {
    name: "the basis by its letter",
    pii: CONTACTS,
    contract: complete({ legal_basis: "GDPR Art. 6(1)(b)" }),
    expect: { "6": "met" },
  },
  {
    name: "the basis in German",
    pii: CONTACTS,
    contract: complete({ lawful_basis: "Einwilligung", legal_basis: null }),
    expect: { "6": "met", "7": "not_met" },
  },
  {
    name: "legitimate interests without a balancing test",
    pii: CONTACTS,
    contract: complete({ legal_basis: "legitimate_interests" }),
    expect: { "6": "unknown" },
    missing: ["balancing test of the legitimate interests"],
  },
  {
    name: "legitimate interests with a balancing test",
    pii: CONTACTS,
    contract: complete({ legal_basis: "Legitimate interest", lia: "LIA-7" }),
    expect: { "6": "met" },
  },
  {
    name: "a legal obligation without the law",
    pii: CONTACTS,
    contract: complete({ legal_basis: "legal obligation" }),
    expect: { "6": "unknown" },
  },
  {
    name: "consent without tracking",
    pii: CONTACTS,
    contract: { ...without("consent"), legal_basis: "consent" },
    expect: { "6": "met", "7": "not_met" },
    missing: ["consent tracking", "way to withdraw consent"],
  },
  {
    name: "consent that is said not to be tracked",
    pii: CONTACTS,
    contract: complete({ legal_basis: "consent", consent: false }),
    expect: { "7": "not_met" },
  },
  {
    name: "consent with tracking but no withdrawal",
    pii: CONTACTS,
    contract: complete({ legal_basis: "consent", consent: { register: "consents" } }),
    expect: { "7": "not_met" },
    missing: ["way to withdraw consent"],
  },
  {
    name: "consent with tracking and withdrawal",
    pii: CONTACTS,
    contract: complete({ legal_basis: "consent", consent: { register: "consents", withdrawal: "self-service" } }),
    expect: { "7": "met" },
  },
  {
    name: "health data without a condition",
    pii: HEALTH,
    contract: COMPLETE,
    expect: { "9": "not_met", "35": "not_met" },
  },
  {
    name: "health data with condition and assessment",
    pii: HEALTH,
    contract: complete({ article_9_condition: "9(2)(h) care", dpia: "DPIA-3" }),
    expect: { "9": "met", "35": "met" },
  },
  {
    name: "health data whose assessment is denied",
    pii: HEALTH,
    contract: complete({ article_9_condition: "9(2)(h)", dpia: "not required" }),
    expect: { "35": "not_met" },
  },
  {
    name: "national ids without a word on an assessment",
    pii: WITH_SSN,
    contract: COMPLETE,
    expect: { "9": "not_applicable", "35": "unknown" },
  },
  {
    name: "national ids with a screening",
    pii: WITH_SSN,
    contract: complete({ dpia: "not required, screened 2025-11-03" }),
    expect: { "35": "met" },
  },
  {
    name: "profiling needs an assessment",
    pii: CONTACTS,
    contract: complete({ profiling: true }),
    expect: { "35": "not_met" },
  },
  {
    name: "a legal hold with its case",
    pii: CONTACTS,
    contract: { ...without("erasure"), legal_hold: true, legal_hold_until: "2027-12-31" },
    expect: { "17": "met" },
  },
  {
    name: "a legal hold without reason or end",
    pii: CONTACTS,
    contract: complete({ legal_hold: true }),
    expect: { "17": "unknown" },
  },
  { name: "erasure is refused", pii: CONTACTS, contract: complete({ erasure: "none" }), expect: { "17": "not_met" } },
  {
    name: "masking is claimed but values are in clear",
    pii: CONTACTS,
    contract: COMPLETE,
    expect: { "25": "not_met" },
  },
  {
    name: "no encryption",
    pii: CONTACTS,
    contract: complete({ encryption_at_rest: false }),
    expect: { "32": "not_met" },
  },
  {
    name: "encryption as a nested object",
    pii: CONTACTS,
    contract: {
      ...without("encryption_at_rest", "encryption_in_transit"),
      encryption: { at_rest: "AES-256", in_transit: "TLS 1.3" },
    },
    expect: { "32": "met" },
  },
  {
    name: "stored in the United States without a safeguard",
    pii: CONTACTS,
    contract: complete({ storage: { region: "us-east-1" } }),
    expect: { "44-49": "not_met" },
  },
  {
    name: "stored in the United States under clauses",
    pii: CONTACTS,
    contract: complete({ storage: { region: "us-east-1" }, safeguards: "SCC 2021/914" }),
    expect: { "44-49": "met" },
  },
  {
    name: "stored in London",
    pii: CONTACTS,
    contract: complete({ storage: { region: "eu-west-2" } }),
    expect: { "44-49": "met" },
  },
  {
    name: "transfers to India without a safeguard",
    pii: CONTACTS,
    contract: complete({ transfers: ["India"] }),
    expect: { "44-49": "not_met", "30": "not_met" },
  },
  {
    name: "nothing said about places",
    pii: CONTACTS,
    contract: without("storage", "jurisdiction", "transfers"),
    expect: { "44-49": "unknown" },
    missing: ["place of storage"],
  },
  {
    name: "jurisdiction of a third country, transfers not mentioned",
    pii: CONTACTS,
    contract: { ...without("transfers"), jurisdiction: ["EU", "BR"] },
    expect: { "44-49": "unknown" },
  },
  {
    name: "reads counted under access are no access control",
    pii: CONTACTS,
    contract: { ...without("access_control"), access: { full_reads_per_month: 60 } },
    expect: { "32": "unknown" },
    missing: ["access control"],
  },
  {
    name: "encryption in transit says nothing about rest",
    pii: CONTACTS,
    contract: { ...without("encryption_at_rest", "encryption_in_transit"), encryption: { in_transit: true } },
    expect: { "32": "unknown", "30": "not_met" },
    missing: ["encryption at rest"],
  },
  {
    name: "consent that is required is not yet tracked",
    pii: CONTACTS,
    contract: complete({ legal_basis: "consent", consent: { required: true } }),
    expect: { "7": "not_met" },
    missing: ["consent tracking"],
  },
  {
    name: "consent that is not required",
    pii: CONTACTS,
    contract: complete({ consent: { required: false, note: "billing only" } }),
    expect: { "7": "not_applicable" },
  },
  {
    name: "an assessment that is required is not yet made",
    pii: HEALTH,
    contract: complete({ dpia: { required: true } }),
    expect: { "35": "not_met" },
  },
  {
    name: "two bases, one of them consent",
    pii: CONTACTS,
    contract: { ...without("consent"), legal_basis: ["contract", "consent"] },
    expect: { "6": "met", "7": "not_met" },
  },
  {
    name: "an empty contract is a contract that says nothing",
    pii: CONTACTS,
    contract: {},
    expect: { "5(1)(e)": "not_met", "6": "not_met", "30": "not_met", "32": "unknown" },
  },
  {
    name: "health data in a complete contract still need masking proven",
    pii: HEALTH,
    contract: without("masking"),
    expect: { "25": "unknown", "9": "not_met" },
  },
  {
    name: "retention until a date",
    pii: CONTACTS,
    contract: complete({ retention: "until 2027-12-31" }),
    expect: { "5(1)(e)": "met" },
  },
  {
    name: "retention as long as necessary is no period",
    pii: CONTACTS,
    contract: complete({ retention: "as long as necessary" }),
    expect: { "5(1)(e)": "not_met" },
  },
  {
    name: "a bare number of retention has no unit",
    pii: CONTACTS,
    contract: complete({ retention: 36 }),
    expect: { "5(1)(e)": "not_met" },
  },
  {
    name: "stored in Switzerland",
    pii: CONTACTS,
    contract: complete({ storage: { region: "europe-west6" } }),
    expect: { "44-49": "met" },
  },
  {
    name: "a region nobody knows is no EEA",
    pii: CONTACTS,
    contract: complete({ storage: { region: "dc-7" } }),
    expect: { "44-49": "not_met" },
  },
  {
    name: "transfers under binding corporate rules",
    pii: CONTACTS,
    contract: complete({ transfers: { countries: ["India"], safeguard: "BCR 2023" } }),
    expect: { "44-49": "met" },
  },
  {
    name: "no recipients is an answer",
    pii: CONTACTS,
    contract: complete({ recipients: "none", masking: null }),
    expect: { "30": "met" },
  },
  {
    name: "no owner and no recipients",
    pii: CONTACTS,
    contract: without("owner", "recipients"),
    expect: { "30": "not_met" },
    missing: ["controller or owner", "recipients"],
  },
];

const validate = async ({ pii, contract }: Pick<Scenario, "pii" | "contract">) => {
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

describe("scenarios", () => {
  test.for(SCENARIOS)("$name", async (scenario) => {
    const { output } = await validate(scenario);
    const statuses = Object.fromEntries(output.articles.map(({ article, status }) => [article, status]));
    expect(statuses).toMatchObject(scenario.expect);
    for (const words of scenario.missing ?? []) expect(output.missing).toContain(words);
  });
});
