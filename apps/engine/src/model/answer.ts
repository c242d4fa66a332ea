import * as z from "zod";
import type { Ending } from "./backend.ts";
import type { JsonSchema, ModelRequest, ModelResult } from "./model.ts";
import { ModelError } from "./model-error.ts";

/**
 * The result of an answer that came to its end. Vendors promise that an answer fits its schema; it is checked all the same.
 * @throws ModelError `malformed` where it is no JSON or does not fit, with the path of the first fault; `invalid_request` for a schema
 * that cannot be read.
 */
export function answerOf(request: ModelRequest, ending: Ending): ModelResult {
  const { text, refusal, usage, stopReason, model } = ending;
  if (stopReason === "refusal") return { text, usage, stopReason, refusal: refusal || "declined", model };
  if (request.schema === undefined) return { text, usage, stopReason, model };
  return { text, json: fitting(jsonOf(ending), request.schema, ending), usage, stopReason, model };
}

function jsonOf({ alias, text, usage, stopReason }: Ending): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The error of JSON.parse quotes the text, so that it is left behind.
    const code = stopReason === "length" ? "answer_cut_at_max_output_tokens" : "answer_is_no_json";
    throw new ModelError("malformed", { model: alias, code, usage });
  }
}

function fitting(json: unknown, schema: JsonSchema, { alias, usage }: Ending): unknown {
  const issue = readSchema(schema, alias).safeParse(json).error?.issues[0];
  if (issue === undefined) return json;
  throw new ModelError("malformed", { model: alias, code: "answer_breaks_schema", field: pathOf(issue.path), usage });
}

/** A JSON Schema as something that checks. @throws ModelError `invalid_request` */
export function readSchema(schema: JsonSchema, alias: string): z.ZodType {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    // What zod says of it may quote the schema; which one it was the caller knows.
    throw new ModelError("invalid_request", { model: alias, code: "schema_unreadable", field: "schema" });
  }
}

/** Keys of an answer are the model's own words, so that only those that look like names are shown. */
function pathOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) =>
    typeof step === "number" || /^[\w-]{1,40}$/.test(String(step)) ? String(step) : "*",
  );
  return steps.length === 0 ? "$" : `$.${steps.join(".")}`;
}
