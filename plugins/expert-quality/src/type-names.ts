/**
 * The same type as DuckDB, pandas, Spark and SQLAlchemy name it. Great Expectations passes over the
 * names that a backend does not know. Texts are left out: in Great Expectations 1.24 no name means the texts of pandas 3.
 */
const NAMES: Record<string, string[]> = {
  BIGINT: ["BIGINT", "INTEGER", "LongType", "int64", "Int64", "int"],
  INTEGER: ["INTEGER", "INT", "BIGINT", "IntegerType", "LongType", "int32", "int64", "Int32", "Int64", "int"],
  SMALLINT: ["SMALLINT", "INTEGER", "ShortType", "IntegerType", "int16", "int64", "Int16", "int"],
  TINYINT: ["TINYINT", "SMALLINT", "INTEGER", "ByteType", "IntegerType", "int8", "int64", "Int8", "int"],
  UBIGINT: ["UBIGINT", "DECIMAL", "NUMERIC", "uint64", "UInt64", "int"],
  UINTEGER: ["UINTEGER", "BIGINT", "LongType", "uint32", "int64", "UInt32", "int"],
  HUGEINT: ["HUGEINT", "DECIMAL", "NUMERIC", "DecimalType", "float64", "int"],
  DOUBLE: ["DOUBLE", "DOUBLE PRECISION", "DOUBLE_PRECISION", "FLOAT", "DoubleType", "float64", "float"],
  FLOAT: ["FLOAT", "REAL", "FloatType", "float32", "float64", "float"],
  DECIMAL: ["DECIMAL", "NUMERIC", "DecimalType", "Decimal", "float64", "object"],
  BOOLEAN: ["BOOLEAN", "BooleanType", "bool", "boolean", "bool_"],
  DATE: ["DATE", "DateType", "date", "datetime64", "datetime64[ns]", "object"],
  TIMESTAMP: ["TIMESTAMP", "DATETIME", "TimestampType", "Timestamp", "datetime64", "datetime64[ns]", "datetime64[us]"],
  "TIMESTAMP WITH TIME ZONE": ["TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMP", "TimestampType", "Timestamp"],
};

const TEXTS = ["VARCHAR", "TEXT", "STRING", "String", "StringType", "StringDtype", "str", "object"];

/** Names for a type list; empty for types that other engines have no plain name for. */
export function typeNames(type: string): string[] {
  const plain = plainType(type);
  return Object.hasOwn(NAMES, plain) ? [...(NAMES[plain] ?? [])] : [];
}

/** Every name that means the type of a DuckDB column: what a type list may call it. */
export function sameType(type: string): string[] {
  return plainType(type) === "VARCHAR" ? TEXTS : [type, plainType(type), ...typeNames(type)];
}

function plainType(type: string): string {
  return type.replace(/\(.*\)$/, "").replace(/^TIMESTAMP_(NS|MS|S)$/, "TIMESTAMP");
}
