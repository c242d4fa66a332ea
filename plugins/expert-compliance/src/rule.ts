import type { LegalBasis } from "./contract.ts";
import type { FieldName } from "./fields.ts";
import type { Place } from "./places.ts";

/** Something a rule asks about the classification or the contract; three-valued: true, false or not known. */
export type Condition =
  | { personalData: true }
  | { specialCategory: true }
  /** Sensitivity of the most sensitive column, 1 to 3. */
  | { sensitivityAtLeast: number }
  /** The scan saw values of personal data in clear. */
  | { valuesInClear: true }
  /** The legal basis named in the contract. */
  | { basis: LegalBasis }
  /** The contract says yes (or names something) for a field. */
  | { given: FieldName }
  /** The contract says no, none or false. */
  | { denied: FieldName }
  /** One of the places of a field is of that class. */
  | { place: FieldName; is: readonly Place[] }
  | { all: readonly Condition[] }
  | { any: readonly Condition[] }
  | { not: Condition };

/** What a rule needs to see in the contract. */
export interface Requirement {
  field: FieldName;
  /** Asked only while this holds; left out: always. */
  when?: Condition;
  /** Status where the contract says nothing: `not_met` where the law wants it in writing, `unknown` where the fact may stand elsewhere. */
  absent: "not_met" | "unknown";
  /** Status where the contract says no; default `not_met`. */
  denied?: "met" | "not_met" | "unknown";
  /** A condition that shows the contract's claim to be wrong. */
  contradictedBy?: Condition;
  /** Words for the contradiction. */
  contradiction?: string;
}

/** One article as data. */
export interface Rule {
  /** Stable name, the last part of the finding's rule id. */
  id: string;
  /** As the law counts it: `5(1)(e)`. */
  article: string;
  title: string;
  /** Where this does not hold the article is not applicable. */
  applies: Condition;
  requires: readonly Requirement[];
  /** Severity of a finding when the article is not met. */
  severity: "warning" | "error" | "critical";
  /** What to do, in one sentence. */
  remedy: string;
  /** Status without any contract: `not_met` only where the missing document itself is the breach. */
  withoutContract: "unknown" | "not_met";
  /** Where the rule comes from and when it was read. */
  source: string;
}
