import { type CelInput, type CelValue, isCelList, isCelMap, isCelType, isCelUint } from "@bufbuild/cel";
import { type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { isReflectMessage } from "@bufbuild/protobuf/reflect";
import { base64Encode } from "@bufbuild/protobuf/wire";

/** Most values in the result of an expression, nested ones counted, where its reader names no other limit. */
const MAX_VALUES = 100_000;

/** Deepest nesting of a result: what the readers of JSON accept, too. */
const MAX_DEPTH = 100;

/** A JSON value as CEL takes it: objects as maps, numbers as doubles. */
export function celOf(json: JsonValue): CelInput {
  if (Array.isArray(json)) return json.map(celOf);
  if (json === null || typeof json !== "object") return json;
  return new Map(Object.entries(json).map(([key, value]) => [key, celOf(value)]));
}

/** A CEL value as JSON, or undefined where it has no such form: a type, NaN, too much, too deep. Integers past 2^53 become texts. */
export function jsonOf(value: CelValue, maxValues = MAX_VALUES): JsonValue | undefined {
  const budget = { values: maxValues };
  return convert(value, budget, 0);
}

function convert(value: CelValue, budget: { values: number }, depth: number): JsonValue | undefined {
  if (--budget.values < 0 || depth > MAX_DEPTH) return undefined;
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : undefined;
    case "bigint":
      return integer(value);
    default:
      return convertObject(value, budget, depth);
  }
}

function convertObject(
  value: Exclude<CelValue, string | boolean | number | bigint>,
  budget: { values: number },
  depth: number,
) {
  if (value === null) return null;
  if (isCelType(value)) return undefined;
  if (isCelUint(value)) return integer(value.value);
  if (value instanceof Uint8Array) return base64Encode(value);
  if (isReflectMessage(value)) return toJson(value.desc, value.message);
  if (isCelList(value)) return convertList(value, budget, depth);
  return isCelMap(value) ? convertMap(value, budget, depth) : undefined;
}

function convertList(list: Iterable<CelValue>, budget: { values: number }, depth: number): JsonValue[] | undefined {
  const found: JsonValue[] = [];
  for (const element of list) {
    const json = convert(element, budget, depth + 1);
    if (json === undefined) return undefined;
    found.push(json);
  }
  return found;
}

function convertMap(
  map: Iterable<readonly [unknown, CelValue]>,
  budget: { values: number },
  depth: number,
): JsonObject | undefined {
  const found: [string, JsonValue][] = [];
  for (const [key, element] of map) {
    const json = convert(element, budget, depth + 1);
    if (json === undefined) return undefined;
    found.push([isCelUint(key) ? String(key.value) : String(key), json]);
  }
  // fromEntries defines, it does not assign: a key `__proto__` stays plain data.
  return Object.fromEntries(found);
}

function integer(value: bigint): JsonValue {
  return BigInt.asIntN(54, value) === value ? Number(value) : String(value);
}
