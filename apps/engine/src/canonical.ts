import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** The same value with the keys of its objects in order, so that their order makes no difference. */
export function canonical(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(canonical);
  return isObject(value) ? canonicalObject(value) : value;
}

/** As {@link canonical}, of an object. */
export function canonicalObject(object: JsonObject): JsonObject {
  const entries = Object.entries(object).map(([key, one]): [string, JsonValue] => [key, canonical(one)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a value has keys. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
