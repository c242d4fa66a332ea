import { type JsonValue, ScalarType } from "@bufbuild/protobuf";

const INTEGERS: ReadonlyMap<ScalarType, { min: bigint; max: bigint; name: string }> = new Map([
  ...[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32].map((type) =>
    entry(type, -(2n ** 31n), 2n ** 31n - 1n),
  ),
  ...[ScalarType.UINT32, ScalarType.FIXED32].map((type) => entry(type, 0n, 2n ** 32n - 1n)),
  ...[ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64].map((type) =>
    entry(type, -(2n ** 63n), 2n ** 63n - 1n),
  ),
  ...[ScalarType.UINT64, ScalarType.FIXED64].map((type) => entry(type, 0n, 2n ** 64n - 1n)),
]);

function entry(type: ScalarType, min: bigint, max: bigint) {
  return [type, { min, max, name: `from ${min} to ${max}` }] as const;
}

const FLOAT_MAX = 3.4028234663852886e38;
const FLOAT_WORDS = ["NaN", "Infinity", "-Infinity"];
const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Why a JSON value is not of a scalar type, by the protobuf JSON mapping; undefined where it is. Quotes no value. */
export function scalarFault(type: ScalarType, json: JsonValue): string | undefined {
  switch (type) {
    case ScalarType.STRING:
      return typeof json === "string" ? undefined : "A text is expected here.";
    case ScalarType.BOOL:
      return typeof json === "boolean" ? undefined : "true or false is expected here.";
    case ScalarType.BYTES:
      return typeof json === "string" && BASE64.test(json) ? undefined : "A text in base64 is expected here.";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return floatFault(type, json);
    default:
      return integerFault(type, json);
  }
}

function integerFault(type: ScalarType, json: JsonValue): string | undefined {
  const { min, max, name } = INTEGERS.get(type)!;
  const written = typeof json === "string" && /^-?[0-9]{1,20}$/.test(json);
  if (!written && !(typeof json === "number" && Number.isInteger(json))) return "A whole number is expected here.";
  const value = BigInt(json as string | number);
  return value >= min && value <= max ? undefined : `The number does not fit: ${name}.`;
}

function floatFault(type: ScalarType, json: JsonValue): string | undefined {
  const text = typeof json === "string";
  if (text && FLOAT_WORDS.includes(json)) return undefined;
  const value = text && DECIMAL.test(json) ? Number(json) : json;
  if (typeof value !== "number" || !Number.isFinite(value)) return "A number is expected here.";
  const fits = type === ScalarType.DOUBLE || Math.abs(value) <= FLOAT_MAX;
  return fits ? undefined : "The number does not fit a 32-bit float.";
}
