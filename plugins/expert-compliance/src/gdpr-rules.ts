import type { Rule } from "./rule.ts";

/** Regulation (EU) 2016/679 as published in OJ L 119, 4.5.2016, with the corrigendum of 23.5.2018. */
const GDPR = "Regulation (EU) 2016/679, OJ L 119, 4.5.2016; read 2025-11-01";

/** The articles that metadata can answer for, in the order of the law. */
export const GDPR_RULES: readonly Rule[] = [
  {
    id: "article_5_1_e",
    article: "5(1)(e)",
    title: "Storage limitation",
    applies: { personalData: true },
    requires: [{ field: "retention", absent: "not_met" }],
    severity: "error",
    remedy: "Write a retention period with an end into the contract and delete or anonymise what is older.",
    withoutContract: "unknown",
    source: GDPR,
  },
  {
    id: "article_6",
    article: "6",
    title: "Lawfulness of processing",
    applies: { personalData: true },
    requires: [
      { field: "legal_basis", absent: "not_met" },
      { field: "purpose", absent: "not_met" },
      { field: "balancing_test", when: { basis: "legitimate_interests" }, absent: "unknown" },
      {
        field: "law_reference",
        when: { any: [{ basis: "legal_obligation" }, { basis: "public_task" }] },
        absent: "unknown",
      },
    ],
    severity: "error",
    remedy:
      "Name the purpose and one of the six legal bases of Article 6(1)(a) to (f), with the document that supports it.",
    withoutContract: "unknown",
    source: GDPR,
  },
  {
    id: "article_7",
    article: "7",
    title: "Conditions for consent",
    applies: { all: [{ personalData: true }, { any: [{ basis: "consent" }, { not: { denied: "consent" } }] }] },
    requires: [
      { field: "consent", when: { basis: "consent" }, absent: "not_met" },
      { field: "consent", when: { not: { basis: "consent" } }, absent: "unknown" },
      { field: "withdrawal", when: { any: [{ basis: "consent" }, { given: "consent" }] }, absent: "not_met" },
    ],
    severity: "error",
    remedy:
      "Say whether any purpose rests on consent; if so, record who consented, to what, when, and how consent is withdrawn.",
    withoutContract: "unknown",
    source: GDPR,
  },
  {
    id: "article_9",
    article: "9",
    title: "Special categories of personal data",
    applies: { specialCategory: true },
    requires: [{ field: "article9", absent: "not_met" }],
    severity: "critical",
    remedy: "Name the condition of Article 9(2)(a) to (j) that allows these data, or stop processing them.",
    withoutContract: "unknown",
    source: GDPR,
  },
  {
    id: "article_17",
    article: "17",
    title: "Right to erasure",
    applies: { personalData: true },
    requires: [
      { field: "legal_hold_reason", when: { given: "legal_hold" }, absent: "unknown" },
      { field: "erasure", when: { not: { given: "legal_hold" } }, absent: "unknown" },
    ],
    severity: "error",
    remedy:
      "Describe how the data of one person are found and erased, in which time, and what a legal hold suspends (17(3)(e)).",
    withoutContract: "unknown",
    source: GDPR,
  },
  {
    id: "article_25",
    article: "25",
    title: "Data protection by design and by default",
    applies: { personalData: true },
    requires: [
      {
        field: "masking",
        absent: "unknown",
        contradictedBy: { valuesInClear: true },
        contradiction: "the contract claims masking, but the scan saw personal values in clear",
      },
    ],
    severity: "error",
    remedy: "Publish the masked view that the security task proposes and say so in the contract.",
    withoutContract: "unknown",
    source: GDPR,
  },
  {
    id: "article_30",
    article: "30",
    title: "Records of processing activities",
    applies: { personalData: true },
    requires: [
      { field: "controller", absent: "not_met" },
      { field: "contact", absent: "not_met" },
      { field: "purpose", absent: "not_met" },
      { field: "data_subjects", absent: "not_met" },
      { field: "recipients", absent: "not_met", denied: "met" },
      { field: "retention", absent: "not_met" },
      {
        field: "safeguard",
        when: { place: "transfers", is: ["third", "unrecognised"] },
        absent: "not_met",
      },
      { field: "encryption_at_rest", absent: "not_met", denied: "met" },
    ],
    severity: "error",
    remedy: "Complete the record of processing: its draft is in the output of this task.",
    withoutContract: "not_met",
    source: GDPR,
  },
  {
    id: "article_32",
    article: "32",
    title: "Security of processing",
    applies: { personalData: true },
    requires: [
      { field: "encryption_at_rest", absent: "unknown" },
      { field: "encryption_in_transit", absent: "unknown" },
      { field: "access_control", absent: "unknown" },
    ],
    severity: "error",
    remedy: "Encrypt at rest and in transit, restrict access by role, and state all three in the contract.",
    withoutContract: "unknown",
    source: GDPR,
  },
  {
    id: "article_35",
    article: "35",
    title: "Data protection impact assessment",
    applies: {
      any: [{ specialCategory: true }, { given: "automated_decisions" }, { sensitivityAtLeast: 3 }, { given: "dpia" }],
    },
    requires: [
      {
        field: "dpia",
        when: { any: [{ specialCategory: true }, { given: "automated_decisions" }] },
        absent: "not_met",
      },
      {
        field: "dpia",
        when: { not: { any: [{ specialCategory: true }, { given: "automated_decisions" }] } },
        absent: "unknown",
        denied: "met",
      },
    ],
    severity: "error",
    remedy: "Screen for an impact assessment (criteria of WP 248 rev.01) and refer to its result in the contract.",
    withoutContract: "unknown",
    source: `${GDPR}; WP 248 rev.01, 4.10.2017`,
  },
  {
    id: "articles_44_49",
    article: "44-49",
    title: "Transfers to third countries",
    applies: {
      all: [
        { personalData: true },
        {
          any: [
            { place: "storage_location", is: ["third", "adequate", "unrecognised"] },
            { place: "transfers", is: ["third", "adequate", "unrecognised"] },
            {
              all: [
                { place: "jurisdiction", is: ["third", "adequate", "unrecognised"] },
                { not: { denied: "transfers" } },
              ],
            },
            { all: [{ not: { given: "storage_location" } }, { not: { denied: "transfers" } }] },
          ],
        },
      ],
    },
    requires: [
      { field: "storage_location", absent: "unknown" },
      {
        field: "safeguard",
        when: {
          any: [
            { place: "storage_location", is: ["third", "unrecognised"] },
            { place: "transfers", is: ["third", "unrecognised"] },
          ],
        },
        absent: "not_met",
      },
      {
        field: "transfers",
        when: { place: "jurisdiction", is: ["third", "unrecognised"] },
        absent: "unknown",
        denied: "met",
      },
    ],
    severity: "error",
    remedy:
      "State where the data are stored and who receives them outside the EEA, with the safeguard of Article 45, 46 or 49.",
    withoutContract: "unknown",
    source: `${GDPR}; adequacy decisions in force 2025-11-01`,
  },
];
