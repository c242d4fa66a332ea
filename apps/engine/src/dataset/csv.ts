import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";
import { type Duck, identifier, literal, type Row } from "./duck.ts";
import { tooLarge } from "./format.ts";
import { MAX_COLUMNS } from "./leaves.ts";
import { MAX_LINE_BYTES, type PlainText } from "./text-file.ts";
import { looksPersonal } from "./value-patterns.ts";

/** Below this size the types come from every line. */
const FULL_SNIFF_BYTES = 64 * 2 ** 20;
const SNIFF_LINES = 204_800;
/** What a number never starts with: a plus, or a zero and another digit. */
const CODE = "^\\s*(\\+|0[0-9])";
const COLUMNS_AT_ONCE = 64;

interface Column {
  readonly name: string;
  readonly type: string;
}

interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly comment: string;
  readonly newline: string;
  readonly skip: number;
  readonly hasHeader: boolean;
  readonly columns: readonly Column[];
  /** Lines that do not parse strictly are bent to fit: missing fields are NULL, stray quotes are text. */
  readonly lenient: boolean;
  readonly dateFormat?: string;
  readonly timestampFormat?: string;
}

/**
 * Parses a CSV into parquet: strictly if it can be, else leniently. Codes with leading zeros or a plus stay text.
 * Returns the dialect: delimiter, quote, header, and `ragged` where lines had to be bent.
 */
export async function copyCsv(duck: Duck, text: PlainText, target: string): Promise<Record<string, string>> {
  const sniffed = await sniff(duck, text);
  const dialect = await keepCodes(duck, text, headless(sniffed));
  try {
    await copy(duck, { text, target, dialect });
    return dialectFacts(dialect);
  } catch (error) {
    if (!(error instanceof DatasetError) || error.reason !== Reason.DATA_CORRUPT) throw error;
    return await copyLeniently(duck, { text, target, dialect }, error);
  }
}

interface Copy {
  readonly text: PlainText;
  readonly target: string;
  readonly dialect: Dialect;
}

/** A value that fits no type makes its column text; a line that fits no row is bent. */
async function copyLeniently(duck: Duck, job: Copy, first: DatasetError): Promise<Record<string, string>> {
  const columns = job.dialect.columns.map(({ name }) => ({ name, type: "VARCHAR" }));
  const lenient = job.dialect.lenient ? job.dialect : { ...job.dialect, lenient: true };
  const asText = /Conversion|Could not convert|convert string/i.test(messageOf(first.cause));
  for (const dialect of asText
    ? [
        { ...job.dialect, columns },
        { ...lenient, columns },
      ]
    : [lenient, { ...lenient, columns }]) {
    try {
      await copy(duck, { ...job, dialect });
      return dialectFacts(dialect);
    } catch (error) {
      if (!(error instanceof DatasetError) || error.reason !== Reason.DATA_CORRUPT) throw error;
    }
  }
  throw first;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}

async function copy(duck: Duck, { text, target, dialect }: Copy): Promise<void> {
  await duck.ask(
    `COPY (SELECT * FROM ${readCsv(text.path, dialect)}) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
  );
}

function readCsv(path: string, dialect: Dialect): string {
  const columns = dialect.columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`).join(", ");
  const options = [
    "auto_detect = false",
    `columns = {${columns}}`,
    `header = ${dialect.hasHeader}`,
    `delim = ${literal(dialect.delimiter)}`,
    `quote = ${literal(dialect.quote)}`,
    `escape = ${literal(dialect.escape)}`,
    `comment = ${literal(dialect.comment)}`,
    `skip = ${dialect.skip}`,
    `max_line_size = ${MAX_LINE_BYTES}`,
    "nullstr = ''",
  ];
  if (dialect.newline) options.push(`new_line = ${literal(dialect.newline)}`);
  if (dialect.dateFormat) options.push(`dateformat = ${literal(dialect.dateFormat)}`);
  if (dialect.timestampFormat) options.push(`timestampformat = ${literal(dialect.timestampFormat)}`);
  if (dialect.lenient) options.push("strict_mode = false", "null_padding = true", "parallel = false");
  return `read_csv(${[literal(path), ...options].join(", ")})`;
}

async function sniff(duck: Duck, text: PlainText): Promise<Dialect> {
  const size = text.sizeBytes <= FULL_SNIFF_BYTES ? -1 : SNIFF_LINES;
  const shared = `sample_size = ${size}, max_line_size = ${MAX_LINE_BYTES}`;
  const attempts = [
    { options: shared, lenient: false },
    { options: `${shared}, strict_mode = false, null_padding = true`, lenient: true },
    {
      options: `${shared}, strict_mode = false, null_padding = true, all_varchar = true, ignore_errors = true`,
      lenient: true,
    },
  ];
  let first: unknown;
  for (const { options, lenient } of attempts) {
    try {
      return dialectOf(await duck.askOne(`FROM sniff_csv(${literal(text.path)}, ${options})`), lenient);
    } catch (error) {
      const hopeless =
        !(error instanceof DatasetError) || ![Reason.DATA_CORRUPT, Reason.DATA_UNSUPPORTED].includes(error.reason);
      if (hopeless) throw error;
      first ??= error;
    }
  }
  throw first;
}

function dialectOf(row: Row, lenient: boolean): Dialect {
  const columns = (Array.isArray(row.Columns) ? row.Columns : []).flatMap((column) =>
    column !== null && typeof column === "object" && !Array.isArray(column)
      ? [{ name: String(column.name), type: String(column.type) }]
      : [],
  );
  if (columns.length > MAX_COLUMNS) throw tooLarge("The number of columns", MAX_COLUMNS.toLocaleString("en-US"));
  const sign = (value: unknown) => (typeof value === "string" && value !== "(empty)" ? value : "");
  const newline = sign(row.NewLineDelimiter);
  return {
    delimiter: sign(row.Delimiter) || ",",
    quote: sign(row.Quote),
    escape: sign(row.Escape),
    comment: sign(row.Comment),
    newline: /^(\\r\\n|\\n|\\r)$/.test(newline) ? newline : "",
    skip: Number(row.SkipRows ?? 0),
    hasHeader: row.HasHeader === true,
    columns: unique(columns),
    lenient,
    dateFormat: sign(row.DateFormat) || undefined,
    timestampFormat: sign(row.TimestampFormat) || undefined,
  };
}

/** Names that differ even where case is ignored, as DuckDB wants them. */
function unique(columns: readonly Column[]): Column[] {
  const taken = new Set<string>();
  return columns.map(({ name, type }, i) => {
    const wanted = name === "" ? `column${i}` : name;
    let free = wanted;
    for (let n = 1; taken.has(free.toLowerCase()); n++) free = `${wanted}_${n}`;
    taken.add(free.toLowerCase());
    return { name: free, type };
  });
}

/** A first line that holds values of people, or mostly numbers, is a row and no header: its names would be raw values. */
function headless(dialect: Dialect): Dialect {
  if (!dialect.hasHeader) return dialect;
  const names = dialect.columns.map(({ name }) => name);
  const numbers = names.filter((name) => /^[-+]?[\d.,]+(_\d+)?$/.test(name)).length;
  if (!names.some(looksPersonal)) return dialect;
  if (numbers === 0 && names.filter(looksPersonal).length === 0) return dialect;
  // The types were taken without this line, so it may not fit them.
  return {
    ...dialect,
    hasHeader: false,
    columns: names.map((_, i) => ({ name: `column${i}`, type: "VARCHAR" })),
  };
}

/** Turns number columns whose text holds codes (`007`, `+49 …`) into text, looking at every line. */
async function keepCodes(duck: Duck, text: PlainText, dialect: Dialect): Promise<Dialect> {
  const numeric = dialect.columns.filter(({ type }) => /INT|DOUBLE|DECIMAL/.test(type));
  if (numeric.length === 0) return dialect;
  const raw = { ...dialect, lenient: true, columns: dialect.columns.map(({ name }) => ({ name, type: "VARCHAR" })) };
  const codes = new Set<string>();
  // The planner's time grows faster than the number of expressions.
  for (let i = 0; i < numeric.length; i += COLUMNS_AT_ONCE) {
    const some = numeric.slice(i, i + COLUMNS_AT_ONCE);
    const tests = some.map(({ name }, n) => `bool_or(regexp_matches(${identifier(name)}, ${literal(CODE)})) AS t${n}`);
    const row = await duck.askOne(`SELECT ${tests.join(", ")} FROM ${readCsv(text.path, raw)}`);
    for (const [n, { name }] of some.entries()) if (row[`t${n}`] === true) codes.add(name);
  }
  return {
    ...dialect,
    columns: dialect.columns.map((column) => (codes.has(column.name) ? { ...column, type: "VARCHAR" } : column)),
  };
}

function dialectFacts(dialect: Dialect): Record<string, string> {
  return {
    delimiter: dialect.delimiter,
    quote: dialect.quote,
    header: String(dialect.hasHeader),
    skipped_lines: String(dialect.skip),
    ragged: String(dialect.lenient),
  };
}
