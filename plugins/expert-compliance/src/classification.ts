import * as z from "zod";
import type { Contract } from "./contract.ts";
import type { JsonValue } from "./json.ts";

/** What the security task found, as far as the rules ask for it. */
export interface Classification {
  personal: boolean;
  special: boolean;
  /** Of the most sensitive column: 0 (none) to 3. */
  sensitivity: number;
  /** Whether values were seen in clear, so that a claim of masking is wrong. */
  valuesInClear: boolean;
  columns: PersonalColumn[];
  /** Where it comes from, in words. */
  source: string;
}

/** A column with personal data, by name and kind. */
export interface PersonalColumn {
  column: string;
  entity: string;
  confidence: number;
  special: boolean;
  sensitivity: number;
}

/** Entities of GDPR Article 9(1), for findings that do not say it themselves. */
const SPECIAL = new Set([
  "health",
  "us_mbi",
  "ethnicity",
  "religion",
  "political_opinion",
  "trade_union",
  "sexual_life",
  "biometric",
  "genetic",
]);
/** Entities that only single out together with other data, or that are less than an identity. */
const MILD = new Set([
  "email",
  "phone",
  "person_name",
  "street_address",
  "postcode",
  "latitude",
  "longitude",
  "geo_coordinate",
  "date_of_birth",
  "username",
  "ip_address",
  "mac_address",
  "device_fingerprint",
  "licence_plate",
  "crypto_wallet",
  "us_npi",
  "unscanned",
]);

const Column = z.object({
  column: z.string(),
  entity: z.string(),
  confidence: z.number(),
  special_category: z.boolean().optional(),
  sensitivity: z.number().optional(),
  basis: z.string().optional(),
});
const DetectPiiShape = z.object({ columns: z.array(Column), clean_columns: z.array(z.string()) });
const SharedPii = z.array(Column);

/**
 * The classification from the outputs of the predecessors (found by their shape, since task ids are the workflow's
 * choice), else from the shared context, else from what the contract declares; `undefined` where nobody has said anything.
 */
export function classify(
  upstream: Readonly<Record<string, JsonValue>>,
  shared: JsonValue | undefined,
  contract: Contract,
): Classification | undefined {
  const declared = contract.contains_personal_data.state === "given";
  const outputs = Object.entries(upstream)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([task, value]) => ({ task, parsed: DetectPiiShape.safeParse(value) }))
    .filter(({ parsed }) => parsed.success);
  if (outputs.length > 0) {
    const columns = outputs.flatMap(({ parsed }) => parsed.data?.columns ?? []);
    return summarise(columns, { declared, source: `task ${outputs.map(({ task }) => task).join(", ")}` });
  }
  const parsed = SharedPii.safeParse(shared);
  if (parsed.success) return summarise(parsed.data, { declared, source: "shared context security.pii" });
  return declared
    ? summarise([], { declared, source: `declaration in the contract (${contract.contains_personal_data.path})` })
    : undefined;
}

function summarise(
  found: z.output<typeof Column>[],
  { declared, source }: { declared: boolean; source: string },
): Classification {
  const columns = found.map((one) => ({
    column: one.column,
    entity: one.entity,
    confidence: one.confidence,
    special: one.special_category ?? SPECIAL.has(one.entity),
    sensitivity: one.sensitivity ?? (MILD.has(one.entity) ? 2 : 3),
  }));
  return {
    personal: declared || columns.length > 0,
    special: columns.some(({ special }) => special),
    sensitivity: columns.reduce((most, { sensitivity }) => Math.max(most, sensitivity), 0),
    valuesInClear: found.some(({ basis }) => basis?.includes("values") === true),
    columns,
    source,
  };
}
