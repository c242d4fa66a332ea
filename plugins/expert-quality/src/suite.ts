import * as z from "zod";

/** One expectation in the JSON of Great Expectations 1.x. */
export const Expectation = z.object({
  /** `expect_column_values_to_not_be_null` … */
  type: z.string().regex(/^expect_[a-z_]+$/),
  kwargs: z.record(z.string(), z.json()),
  meta: z.record(z.string(), z.json()).default({}),
});

/** A suite in the JSON of Great Expectations 1.x. */
export const Suite = z.object({
  name: z.string().min(1),
  expectations: z.array(Expectation),
  meta: z.record(z.string(), z.json()).default({}),
});

/** What JSON holds. */
export type Json = z.infer<ReturnType<typeof z.json>>;
export type Expectation = z.infer<typeof Expectation>;
export type Suite = z.infer<typeof Suite>;

/** Why an expectation is proposed. */
export interface Proposed {
  reason: string;
  /** Interval that a bound comes from. */
  interval?: { low: number; high: number; confidence: number; method: string };
}

/** An expectation with its reason in `meta`. */
export function expectation(type: string, kwargs: Record<string, Json>, proposed: Proposed): Expectation {
  return { type, kwargs, meta: { ...proposed } };
}

/** Name of the class in Great Expectations: `ExpectColumnValuesToNotBeNull`. */
export function className(type: string): string {
  return type
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
