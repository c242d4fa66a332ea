import type { JsonSchema } from "./model.ts";

/**
 * Whether OpenAI's strict mode takes a schema: its root is an object, every object is closed, and every property is required
 * (https://developers.openai.com/api/docs/guides/structured-outputs, supported schemas). Others are sent without strict mode.
 */
export function isStrict(schema: JsonSchema): boolean {
  return schema.type === "object" && closed(schema);
}

function closed(node: unknown): boolean {
  if (Array.isArray(node)) return node.every(closed);
  if (typeof node !== "object" || node === null) return true;
  const schema = node as Record<string, unknown>;
  if (schema.oneOf !== undefined || schema.allOf !== undefined || schema.patternProperties !== undefined) return false;
  if (schema.type === "object" && !closedObject(schema)) return false;
  const { properties, $defs, items, anyOf } = schema;
  return [...childrenOf(properties), ...childrenOf($defs), items, anyOf].every(closed);
}

function closedObject({ properties, required, additionalProperties }: Record<string, unknown>): boolean {
  const names = Object.keys(typeof properties === "object" && properties !== null ? properties : {});
  return additionalProperties === false && Array.isArray(required) && names.every((name) => required.includes(name));
}

function childrenOf(node: unknown): unknown[] {
  return typeof node === "object" && node !== null ? Object.values(node) : [];
}
