import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { joinPath } from "./text.ts";

/** Why a JSON value is not the message it should be. */
export interface JsonFault {
  /** Field in the names of the .proto; empty for the value as a whole. */
  readonly path: string;
  /** Completes "the field …": `must be a whole number from 0 to 4294967295`. Never quotes the value. */
  readonly problem: string;
  /** Whether the field is one that the message does not have. */
  readonly unknown: boolean;
}

type JsonOptions = Parameters<typeof fromJson>[2];

/**
 * Finds the first field of a refused JSON value by decoding its parts alone: each step keeps the one part that is still
 * refused. Undefined where every part is accepted by itself, so that only their combination is at fault.
 */
export function locateJsonFault(desc: DescMessage, json: JsonValue, options: JsonOptions): JsonFault | undefined {
  return faultOfMessage({ desc, json, path: "" }, options);
}

interface Part {
  readonly desc: DescMessage;
  readonly json: JsonValue;
  readonly path: string;
}

function faultOfMessage({ desc, json, path }: Part, options: JsonOptions): JsonFault | undefined {
  if (desc.typeName.startsWith("google.protobuf.")) return refused(path, `must be ${wellKnown(desc)}`);
  if (!isObject(json)) return refused(path, "must be an object");
  for (const [key, value] of Object.entries(json)) {
    if (accepts(desc, [key, value], options)) continue;
    const field = desc.fields.find((f) => f.name === key || f.jsonName === key);
    if (!field) return { path: joinPath(path, key), problem: unknownProblem(desc, key), unknown: true };
    return faultOfField({ desc, field, key, value, path: joinPath(path, field.name) }, options);
  }
  return undefined;
}

interface FieldPart {
  readonly desc: DescMessage;
  readonly field: DescField;
  readonly key: string;
  readonly value: JsonValue;
  readonly path: string;
}

function faultOfField(part: FieldPart, options: JsonOptions): JsonFault {
  const { desc, field, key, value, path } = part;
  if (field.fieldKind === "message") {
    return faultOfMessage({ desc: field.message, json: value, path }, options) ?? conflict(path);
  }
  if (field.fieldKind === "list") {
    if (!Array.isArray(value)) return refused(path, "must be an array");
    const index = value.findIndex((item) => !accepts(desc, [key, [item]], options));
    return faultOfItem(part, { json: value[index] ?? null, path: joinPath(path, index) }, options);
  }
  if (field.fieldKind === "map") {
    if (!isObject(value)) return refused(path, "must be an object");
    const entry = Object.entries(value).find((one) => !accepts(desc, [key, Object.fromEntries([one])], options));
    return faultOfItem(part, { json: entry?.[1] ?? null, path: joinPath(path, entry?.[0] ?? "") }, options);
  }
  return refused(path, `must be ${expectationOf(field)}`);
}

function faultOfItem({ field }: FieldPart, item: { json: JsonValue; path: string }, options: JsonOptions): JsonFault {
  if ("message" in field && field.message) {
    return faultOfMessage({ desc: field.message, ...item }, options) ?? conflict(item.path);
  }
  return refused(item.path, `must be ${expectationOf(field)}`);
}

function accepts(desc: DescMessage, entry: readonly [string, JsonValue], options: JsonOptions): boolean {
  try {
    // fromEntries, since a key may be __proto__.
    fromJson(desc, Object.fromEntries([entry]), options);
    return true;
  } catch {
    return false; // The refusal itself is the answer that is asked for here.
  }
}

function refused(path: string, problem: string): JsonFault {
  return { path, problem, unknown: false };
}

function conflict(path: string): JsonFault {
  return refused(path, "sets the same field or oneof twice");
}

function isObject(json: JsonValue): json is { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function unknownProblem(desc: DescMessage, key: string): string {
  const close = desc.fields.map((f) => f.name).find((name) => distance(name, key) <= 2);
  return close === undefined
    ? "is no field that is known here"
    : `is no field that is known here; did you mean "${close}"`;
}

/** Edits between two names (Levenshtein), as far as names of fields go. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Number.POSITIVE_INFINITY;
}

function expectationOf(field: DescField): string {
  if (field.enum) return enumExpectation(field.enum);
  return SCALARS[field.scalar ?? ScalarType.STRING] ?? "of the type that its schema states";
}

function enumExpectation(desc: DescEnum): string {
  const names = desc.values.map((value) => value.name);
  return names.length > 8 ? `a value of ${desc.typeName}` : `one of ${names.join(", ")}`;
}

const INT32 = "a whole number from -2147483648 to 2147483647";
const UINT32 = "a whole number from 0 to 4294967295";
const INT64 = "a whole number of at most 64 bits, as text or number";
const UINT64 = "a whole number from 0 of at most 64 bits, as text or number";

const SCALARS: { readonly [type in ScalarType]: string } = {
  [ScalarType.STRING]: "a text",
  [ScalarType.BYTES]: "a base64 text",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number of single precision",
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.FIXED64]: UINT64,
};

function wellKnown(desc: DescMessage): string {
  return WELL_KNOWN[desc.name] ?? `a ${desc.name}`;
}

const WELL_KNOWN: { readonly [name: string]: string } = {
  Struct: "an object of JSON values",
  ListValue: "an array of JSON values",
  Value: "a JSON value",
  Timestamp: 'an RFC 3339 time such as "2026-01-31T12:00:00Z"',
  Duration: 'a duration in seconds such as "1.5s"',
  FieldMask: "a text of field paths, separated by commas",
};
