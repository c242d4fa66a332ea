import type { Classification } from "./classification.ts";
import type { Contract, Reading } from "./contract.ts";
import { FIELDS, type FieldName } from "./fields.ts";
import type { Condition, Requirement, Rule } from "./rule.ts";

export type Status = "met" | "not_met" | "unknown" | "not_applicable";

/** What is known of a dataset without its rows. */
export interface Facts {
  /** `undefined` where no scan has looked at the dataset and nobody has declared anything. */
  classification: Classification | undefined;
  contract: Contract;
  hasContract: boolean;
}

/** The answer for one article. */
export interface ArticleResult {
  rule: Rule;
  status: Status;
  /** What is missing or wrong, in words, each once. */
  missing: string[];
  /** Fields that were looked at, with what they said. */
  fields: { field: FieldName; reading: Reading; status: Exclude<Status, "not_applicable"> }[];
}

/** Truth with a third value, by Kleene's logic. */
type Truth = boolean | undefined;

/** Applies one rule. Pure: the same facts give the same answer. */
export function evaluate(rule: Rule, facts: Facts): ArticleResult {
  const applies = holds(rule.applies, facts);
  if (applies === false) return { rule, status: "not_applicable", missing: [], fields: [] };
  const fields = rule.requires
    .filter(({ when }) => when === undefined || holds(when, facts) === true)
    .map((requirement) => check(requirement, facts));
  const missing = fields.filter(({ status }) => status !== "met").map(({ words }) => words);
  if (applies === undefined) {
    return { rule, status: "unknown", missing: [CLASSIFICATION_MISSING], fields };
  }
  return { rule, status: statusOf(rule, fields, facts), missing: [...new Set(missing)], fields };
}

/** What is missing where nobody knows whether the data are personal. */
export const CLASSIFICATION_MISSING = "classification of the columns (run detect_pii first)";

function statusOf(rule: Rule, fields: { status: Status }[], { hasContract }: Facts): Status {
  const statuses = new Set(fields.map(({ status }) => status));
  if (!hasContract) return rule.withoutContract;
  if (statuses.has("not_met")) return "not_met";
  return statuses.has("unknown") ? "unknown" : "met";
}

function check(requirement: Requirement, facts: Facts): ArticleResult["fields"][number] & { words: string } {
  const { field, absent, denied = "not_met", contradictedBy, contradiction } = requirement;
  const reading = facts.contract[field];
  const { label } = FIELDS[field];
  switch (reading.state) {
    case "absent":
      return { field, reading, status: absent, words: label };
    case "invalid":
      return {
        field,
        reading,
        status: "not_met",
        words: `${label} (${INVALID[FIELDS[field].type] ?? "not understood"})`,
      };
    case "denied":
      return { field, reading, status: denied, words: `${label} (the contract says no)` };
    case "given":
      if (contradictedBy && holds(contradictedBy, facts) === true) {
        return {
          field,
          reading,
          status: "not_met",
          words: `${label} (${contradiction ?? "contradicted by the scan"})`,
        };
      }
      return { field, reading, status: "met", words: label };
  }
}

const INVALID: Partial<Record<string, string>> = {
  duration: "what the contract says is no period with an end",
  legal_basis: "what the contract says is none of the six bases of Article 6(1)",
};

/** Whether a condition holds; `undefined` where the facts do not tell. */
export function holds(condition: Condition, facts: Facts): Truth {
  const { classification, contract } = facts;
  if ("all" in condition) return every(condition.all.map((one) => holds(one, facts)));
  if ("any" in condition) return invert(every(condition.any.map((one) => invert(holds(one, facts)))));
  if ("not" in condition) return invert(holds(condition.not, facts));
  if ("personalData" in condition) return classification?.personal;
  if ("specialCategory" in condition) return classification?.special;
  if ("sensitivityAtLeast" in condition)
    return classification && classification.sensitivity >= condition.sensitivityAtLeast;
  if ("valuesInClear" in condition) return classification?.valuesInClear;
  if ("basis" in condition) return contract.legal_basis.bases.includes(condition.basis);
  if ("given" in condition) return contract[condition.given].state === "given";
  if ("denied" in condition) return contract[condition.denied].state === "denied";
  return contract[condition.place].places.some((place) => condition.is.includes(place));
}

function every(truths: Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
}

function invert(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth;
}
