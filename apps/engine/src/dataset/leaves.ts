import {
  DuckDBArrayType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId as Id,
} from "@duckdb/node-api";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";
import { identifier, literal } from "./duck.ts";
import { tooLarge } from "./format.ts";
import { looksPersonal } from "./value-patterns.ts";

/** What can be measured on a leaf. */
export type LeafKind = "integer" | "number" | "text" | "time" | "boolean" | "blob" | "other";

/** One leaf column: a path from the root to values that hold no further values. */
export interface Leaf {
  /** Dotted path; list elements are `[]`, the halves of a map `[].key` and `[].value`. Unique in the dataset. */
  readonly name: string;
  /** DuckDB's logical type of one value. */
  readonly type: string;
  readonly kind: LeafKind;
  /** SQL for the value of a row; where `repeated`, for the list of its values. */
  readonly sql: string;
  readonly repeated: boolean;
}

/** Leaves beyond this are refused. */
export const MAX_COLUMNS = 10_000;
const MAX_DEPTH = 32;

const INTEGERS: readonly Id[] = [
  Id.TINYINT,
  Id.SMALLINT,
  Id.INTEGER,
  Id.BIGINT,
  Id.HUGEINT,
  Id.UTINYINT,
  Id.USMALLINT,
  Id.UINTEGER,
  Id.UBIGINT,
  Id.UHUGEINT,
];
const TIMES: readonly Id[] = [Id.DATE, Id.TIMESTAMP, Id.TIMESTAMP_S, Id.TIMESTAMP_MS, Id.TIMESTAMP_NS, Id.TIMESTAMP_TZ];
const NUMBERS: readonly Id[] = [Id.FLOAT, Id.DOUBLE, Id.DECIMAL];

function kindOf(id: Id): LeafKind {
  if (INTEGERS.includes(id)) return "integer";
  if (NUMBERS.includes(id)) return "number";
  if (TIMES.includes(id)) return "time";
  if (id === Id.VARCHAR || id === Id.ENUM || id === Id.UUID) return "text";
  if (id === Id.BOOLEAN) return "boolean";
  return id === Id.BLOB ? "blob" : "other";
}

/**
 * Leaf columns of a result, in the order of the file.
 * @throws DatasetError DATA_TOO_LARGE beyond {@link MAX_COLUMNS}, DATA_UNSUPPORTED beyond 32 levels.
 */
export function leavesOf(names: readonly string[], types: readonly DuckDBType[]): Leaf[] {
  const leaves: Leaf[] = [];
  for (const [i, name] of names.entries()) {
    const type = types[i];
    if (type) walk({ type, path: name, sql: identifier(name), repeated: false, depth: 0 }, leaves);
  }
  return withSafeNames(leaves);
}

interface Node {
  readonly type: DuckDBType;
  readonly path: string;
  readonly sql: string;
  readonly repeated: boolean;
  readonly depth: number;
}

function walk(node: Node, leaves: Leaf[]): void {
  const { type, path, sql, repeated } = node;
  if (node.depth > MAX_DEPTH) {
    throw new DatasetError(Reason.DATA_UNSUPPORTED, `The columns are nested deeper than ${MAX_DEPTH} levels`);
  }
  const depth = node.depth + 1;
  const each = (of: (x: string) => string) => (repeated ? `list_transform(${sql}, lambda x: ${of("x")})` : of(sql));
  const list = (of: (x: string) => string) => (repeated ? `flatten(${each(of)})` : of(sql));
  if (type instanceof DuckDBStructType && type.entryNames.every((name) => name !== "")) {
    for (const [i, name] of type.entryNames.entries()) {
      const child = type.entryTypes[i];
      const field = (x: string) => `struct_extract(${x}, ${literal(name)})`;
      if (child) walk({ type: child, path: `${path}.${name}`, sql: each(field), repeated, depth }, leaves);
    }
  } else if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    const { valueType } = type;
    walk({ type: valueType, path: `${path}[]`, sql: list(asList(type)), repeated: true, depth }, leaves);
  } else if (type instanceof DuckDBMapType) {
    const keys = list((x) => `map_keys(${x})`);
    const values = list((x) => `map_values(${x})`);
    walk({ type: type.keyType, path: `${path}[].key`, sql: keys, repeated: true, depth }, leaves);
    walk({ type: type.valueType, path: `${path}[].value`, sql: values, repeated: true, depth }, leaves);
  } else {
    leaves.push({ name: path, type: String(type), kind: kindOf(type.typeId), sql, repeated });
    if (leaves.length > MAX_COLUMNS) throw tooLarge("The number of columns", MAX_COLUMNS.toLocaleString("en-US"));
  }
}

function asList(type: DuckDBListType | DuckDBArrayType): (x: string) => string {
  return type instanceof DuckDBArrayType ? (x) => `CAST(${x} AS ${type.valueType}[])` : (x) => x;
}

/** Unique names; a name that holds personal data (a headless file, keys of a map) is replaced by its position. */
function withSafeNames(leaves: readonly Leaf[]): Leaf[] {
  const taken = new Set<string>();
  return leaves.map((leaf, i) => {
    const personal = leaf.name.split(/\.(?=[^.\s]*$)/).some(looksPersonal) || looksPersonal(leaf.name);
    const wanted = personal ? `column_${i + 1}` : leaf.name;
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted}#${n}`;
    taken.add(name);
    return { ...leaf, name };
  });
}
