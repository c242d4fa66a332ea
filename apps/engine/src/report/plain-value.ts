import type { JsonValue } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";

/**
 * A protobuf value as JSON. Total, where `toJson` throws: an unset value is null, a number that JSON cannot hold is its
 * name (`"NaN"`, `"Infinity"`), for experts in any language may send either.
 */
export function plainValue(value: Value | undefined): JsonValue {
  const kind = value?.kind;
  switch (kind?.case) {
    case "numberValue":
      return Number.isFinite(kind.value) ? kind.value : String(kind.value);
    case "stringValue":
    case "boolValue":
      return kind.value;
    case "structValue":
      return Object.fromEntries(Object.entries(kind.value.fields).map(([key, field]) => [key, plainValue(field)]));
    case "listValue":
      return kind.value.values.map(plainValue);
    default:
      return null;
  }
}
