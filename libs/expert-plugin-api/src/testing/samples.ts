import { readFileSync } from "node:fs";
import * as z from "zod";
import type { Sample } from "./conformance.ts";

/** Name of the file beside `package.json` in which an expert declares its samples. JSON, so that experts in every language have it. */
export const SAMPLES_FILE = "odg.samples.json";

const json = z.record(z.string(), z.json());
const columnSchema = z.strictObject({
  /** Type as in SQL: BIGINT, DOUBLE, VARCHAR, DATE … */
  type: z.string().min(1),
  values: z.array(z.json()),
  withheld: z.string().optional(),
});
const tableSchema = z.strictObject({
  columns: z.record(z.string(), columnSchema),
  contract: json.optional(),
  documents: z.record(z.string(), z.string()).optional(),
  sizeBytes: z.number().int().min(0).optional(),
});
const samplesSchema = z
  .array(
    z.strictObject({
      action: z.string().min(1),
      input: json,
      tables: z.record(z.string(), tableSchema).optional(),
      context: json.optional(),
      upstream: json.optional(),
    }),
  )
  .min(1);

/** A file of samples that cannot be used; the message names every field at fault. */
export class SamplesError extends Error {
  override readonly name = "SamplesError";
}

/**
 * Reads declared samples: a list of `{action, input, tables?, context?, upstream?}`.
 *
 * @throws SamplesError
 */
export function readSamples(path: string): Sample[] {
  const parsed = samplesSchema.safeParse(parse(path));
  if (!parsed.success) throw new SamplesError(`${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data.map(({ action, input, ...options }) => ({ action, input, options }));
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new SamplesError(`${path} cannot be read; it declares the calls that must succeed`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SamplesError(`${path} is not JSON`, { cause });
  }
}
