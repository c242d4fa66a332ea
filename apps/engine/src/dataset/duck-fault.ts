import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";

type Sentence = (message: string) => string;

interface Known {
  readonly pattern: RegExp;
  readonly reason: Reason;
  readonly say: string | Sentence;
}

const line = (message: string) => /\bLine:?\s*(\d+)/i.exec(message)?.[1];
const atLine = (message: string, text: string) => {
  const number = line(message);
  return number ? `Line ${number} ${text}` : `A line ${text}`;
};

// DuckDB's messages quote values and paths, so each is replaced by a sentence of ours; first match wins.
const KNOWN: readonly Known[] = [
  { pattern: /INTERRUPT/i, reason: Reason.CANCELLED, say: "The work on the dataset was cancelled" },
  {
    pattern: /Out of Memory|could not allocate|bad_alloc|max_temp_directory_size/i,
    reason: Reason.DATA_TOO_LARGE,
    say: "The data need more memory than the reader may use",
  },
  {
    pattern: /sniffing file|not possible to automatically detect the CSV/i,
    reason: Reason.DATA_UNSUPPORTED,
    say: "The text is no table: no delimiter splits its lines alike",
  },
  {
    pattern: /Maximum line size|maximum_object_size|Maximum object size/i,
    reason: Reason.DATA_TOO_LARGE,
    say: (m) => atLine(m, "is longer than the cap on a line"),
  },
  {
    pattern: /unterminated quote|unclosed quote/i,
    reason: Reason.DATA_CORRUPT,
    say: (m) => atLine(m, "opens a quote that is never closed"),
  },
  {
    pattern: /Expected Number of Columns: \d+ Found: \d+/i,
    reason: Reason.DATA_CORRUPT,
    say: (m) => {
      const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/i.exec(m) ?? [];
      return atLine(m, `has ${found} fields where ${expected} are expected`);
    },
  },
  {
    pattern: /not utf-?8|invalid unicode|Invalid UTF-?8|invalid utf/i,
    reason: Reason.DATA_CORRUPT,
    say: "A text in the file is not valid UTF-8",
  },
  { pattern: /Malformed JSON/i, reason: Reason.DATA_CORRUPT, say: (m) => atLine(m, "is malformed JSON") },
  {
    pattern: /JSON/,
    reason: Reason.DATA_CORRUPT,
    say: "The JSON is broken, or is neither an array of objects nor one object a line",
  },
  {
    pattern: /No magic bytes|too small to be a Parquet|Footer length|footer/i,
    reason: Reason.DATA_CORRUPT,
    say: "The parquet file's footer is broken",
  },
  {
    pattern: /Unsupported compression codec|Unsupported codec|LZO/i,
    reason: Reason.DATA_UNSUPPORTED,
    say: "The parquet file uses a compression codec that the reader does not know",
  },
  {
    pattern: /encrypt/i,
    reason: Reason.DATA_UNSUPPORTED,
    say: "The parquet file is encrypted",
  },
  {
    pattern: /Not implemented|Unsupported|not supported|only supported/i,
    reason: Reason.DATA_UNSUPPORTED,
    say: "The file uses an encoding or a type that the reader does not know",
  },
  {
    pattern: /decompress|Snappy|ZSTD|GZIP|Brotli|LZ4/i,
    reason: Reason.DATA_CORRUPT,
    say: "A compressed page of the file is broken",
  },
  {
    pattern: /CSV|Conversion Error|Could not convert/i,
    reason: Reason.DATA_CORRUPT,
    say: (m) => atLine(m, "does not fit the columns of the lines before it"),
  },
];

/** A DuckDB error as a DatasetError whose message holds no value and no path. */
export function duckFault(cause: unknown): DatasetError {
  if (cause instanceof DatasetError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const known = KNOWN.find(({ pattern }) => pattern.test(message));
  if (!known) return new DatasetError(Reason.DATA_CORRUPT, "The file is broken: the reader refused it", { cause });
  const number = line(message);
  return new DatasetError(known.reason, typeof known.say === "string" ? known.say : known.say(message), {
    subject: number ? `line ${number}` : undefined,
    cause,
  });
}
