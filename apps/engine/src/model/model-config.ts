import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as z from "zod";

const dollars = z.number().nonnegative().nullable();
const day = z.iso.date();

const pricesSchema = z.strictObject({
  currency: z.literal("USD"),
  /** Per million tokens; null where it is not known, which is not 0. */
  input: dollars,
  cachedInput: dollars,
  cacheWriteInput: dollars,
  output: dollars,
  /** Prompts longer than this cost something else, which is not known here. */
  upToInputTokens: z.int().positive().optional(),
  source: z.url(),
  date: day,
});

const modelSchema = z
  .strictObject({
    vendor: z.enum(["openai", "anthropic", "google", "compatible"]),
    /** The vendor's name for it. */
    id: z.string().regex(/^[\w.:/-]{1,128}$/),
    /** What a request gets that does not say; other parameters are the vendor's defaults. */
    thinking: z.enum(["off", "low", "medium", "high"]),
    /** Prompt and answer together. */
    contextTokens: z.int().positive(),
    maxOutputTokens: z.int().positive(),
    /** Null where no price is known at all. */
    prices: pricesSchema.nullable(),
    note: z.string().optional(),
  })
  .refine((model) => model.maxOutputTokens <= model.contextTokens, {
    path: ["maxOutputTokens"],
    error: "is larger than contextTokens",
  });

const backendSchema = z.strictObject({
  /** Where the API of the vendor begins, in the way of its SDK. */
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/[?#@]/.test(url), "has a query, a fragment or a credential"),
});

const configSchema = z.strictObject({
  /** When somebody last compared all of it with the vendors' pages. */
  date: day,
  vendors: z.strictObject({ openai: backendSchema, anthropic: backendSchema, google: backendSchema }),
  models: z.record(z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/), modelSchema),
});

/** models.json: every model by its alias, and where the vendors are. */
export type ModelConfig = z.infer<typeof configSchema>;
export type ModelSpec = z.infer<typeof modelSchema>;
export type Prices = z.infer<typeof pricesSchema>;
export type Vendor = ModelSpec["vendor"];

/** A models.json that cannot be used, with every fault and its path. */
export class ModelConfigError extends Error {
  override readonly name = "ModelConfigError";
}

/** The file that comes with the engine. It stands outside src, so that it is found from there and from dist alike. */
export const MODELS_FILE = fileURLToPath(new URL("../../models.json", import.meta.url));

/** @throws ModelConfigError */
export function readModelConfig(file: string = MODELS_FILE): ModelConfig {
  return parseModelConfig(readFileSync(file, "utf8"));
}

/** @throws ModelConfigError naming all faults at once. */
export function parseModelConfig(text: string): ModelConfig {
  const parsed = configSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
  throw new ModelConfigError(`models.json: ${faults.join("; ")}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ModelConfigError("models.json is no JSON", { cause });
  }
}
