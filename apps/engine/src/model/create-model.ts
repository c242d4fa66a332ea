import { anthropicBackend } from "./anthropic.ts";
import { type Backend, modelOf } from "./backend.ts";
import { compatibleBackend } from "./compatible.ts";
import { googleBackend } from "./google.ts";
import type { Model } from "./model.ts";
import type { ModelConfig, Vendor } from "./model-config.ts";
import { ModelError } from "./model-error.ts";
import { openAIBackend } from "./openai.ts";
import type { Secret } from "./secret.ts";

const BACKENDS: Readonly<Record<Vendor, Backend>> = {
  openai: openAIBackend,
  anthropic: anthropicBackend,
  google: googleBackend,
  compatible: compatibleBackend,
};

export interface CreateModelOptions {
  readonly config: ModelConfig;
  /** Absent where the place needs none. */
  readonly key?: Secret;
  /** In place of the vendor's own address; required for `compatible`. */
  readonly baseUrl?: string;
  /** The way out of the engine; the global one where absent. */
  readonly fetch?: typeof fetch;
}

/**
 * The model of an alias, ready to be called; nothing is sent before it is.
 * @throws ModelError `invalid_request` where there is no such alias or no address, `authentication` where a vendor needs a key.
 */
export function createModel(alias: string, options: CreateModelOptions): Model {
  const spec = Object.hasOwn(options.config.models, alias) ? options.config.models[alias] : undefined;
  if (!spec) throw new ModelError("invalid_request", { model: alias, code: "unknown_model" });
  if (spec.vendor !== "compatible" && !options.key) {
    throw new ModelError("authentication", { model: alias, code: "no_key" });
  }
  const baseUrl =
    options.baseUrl ?? (spec.vendor === "compatible" ? undefined : options.config.vendors[spec.vendor].baseUrl);
  if (baseUrl === undefined) throw new ModelError("invalid_request", { model: alias, code: "no_base_url" });
  return modelOf(BACKENDS[spec.vendor], { alias, spec, baseUrl, key: options.key, fetch: options.fetch ?? fetch });
}
