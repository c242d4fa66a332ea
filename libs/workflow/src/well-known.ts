import { type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { scalarFault } from "./scalar.ts";

const MAX_DURATION_SECONDS = 315_576_000_000;
const DURATION = /^-?[0-9]{1,12}(?:\.[0-9]{1,9})?s$/;
const TIMESTAMP = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/;

const WRAPPED: ReadonlyMap<string, ScalarType> = new Map([
  ["DoubleValue", ScalarType.DOUBLE],
  ["FloatValue", ScalarType.FLOAT],
  ["Int64Value", ScalarType.INT64],
  ["UInt64Value", ScalarType.UINT64],
  ["Int32Value", ScalarType.INT32],
  ["UInt32Value", ScalarType.UINT32],
  ["BoolValue", ScalarType.BOOL],
  ["StringValue", ScalarType.STRING],
  ["BytesValue", ScalarType.BYTES],
]);

/**
 * For messages of google.protobuf that JSON writes in a form of their own: why the value is not one, or "" where it is. Undefined for
 * every other message.
 */
export function wellKnownFault(desc: DescMessage, json: JsonValue): string | undefined {
  if (!desc.typeName.startsWith("google.protobuf.")) return undefined;
  const name = desc.typeName.slice("google.protobuf.".length);
  const scalar = WRAPPED.get(name);
  if (scalar !== undefined) return scalarFault(scalar, json) ?? "";
  switch (name) {
    case "Value":
      return "";
    case "Struct":
    case "Any":
      return typeof json === "object" && json !== null && !Array.isArray(json) ? "" : "An object is expected here.";
    case "ListValue":
      return Array.isArray(json) ? "" : "A list is expected here.";
    case "Duration":
      return isDuration(json) ? "" : 'A duration in seconds, such as "30s" or "0.5s", is expected here.';
    case "Timestamp":
      return isTimestamp(json) ? "" : 'A time such as "2026-01-31T12:00:00Z" is expected here.';
    case "FieldMask":
      return typeof json === "string" ? "" : "Field names, with commas between them, are expected here.";
    default:
      return undefined;
  }
}

function isDuration(json: JsonValue): boolean {
  return typeof json === "string" && DURATION.test(json) && Math.abs(Number(json.slice(0, -1))) <= MAX_DURATION_SECONDS;
}

function isTimestamp(json: JsonValue): boolean {
  return typeof json === "string" && TIMESTAMP.test(json) && !Number.isNaN(Date.parse(json));
}
