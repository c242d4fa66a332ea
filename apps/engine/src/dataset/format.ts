import { open } from "node:fs/promises";
import { Format } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";

/** How the bytes of a text format are packed. */
export type Compression = "none" | "gzip" | "zstd";

/** What the first and last bytes of a file tell. */
export interface Sniffed {
  readonly format: Format;
  readonly compression: Compression;
}

/** Largest file that is opened, in bytes as stored. */
export const MAX_FILE_BYTES = 64 * 2 ** 30;
const HEAD_BYTES = 4096;
/** A parquet footer beyond this is taken for a lie; real ones of 10,000 columns stay under 100 MB. */
const MAX_FOOTER_BYTES = 256 * 2 ** 20;

const FOREIGN: readonly (readonly [string, string])[] = [
  ["4f626a01", "Avro"],
  ["504b0304", "ZIP (or a spreadsheet)"],
  ["4f5243", "ORC"],
  ["4152524f5731", "Arrow"],
  ["89484446", "HDF5"],
  ["53514c69746520666f726d6174", "SQLite"],
  ["25504446", "PDF"],
  ["89504e47", "PNG"],
  ["ffd8ff", "JPEG"],
  ["7f454c46", "an executable"],
  ["425a68", "bzip2"],
  ["fd377a585a00", "xz"],
  ["04224d18", "LZ4"],
  ["d0cf11e0", "an old Office document"],
];

/**
 * Tells the format of a file by its content, and by its name only between text formats.
 * @throws DatasetError DATA_UNSUPPORTED, DATA_CORRUPT (empty, cut parquet) or DATA_TOO_LARGE.
 */
export async function sniffFormat(path: string, sizeBytes: number): Promise<Sniffed> {
  if (sizeBytes === 0) throw new DatasetError(Reason.DATA_CORRUPT, "The file is empty");
  if (sizeBytes > MAX_FILE_BYTES) throw tooLarge("The file", `${MAX_FILE_BYTES / 2 ** 30} GiB`);
  const { head, tail } = await ends(path, sizeBytes);
  if (head.subarray(0, 4).equals(Buffer.from("PAR1"))) {
    checkParquetTail(tail, sizeBytes);
    return { format: Format.PARQUET, compression: "none" };
  }
  if (head.subarray(0, 4).equals(Buffer.from("PARE"))) {
    throw new DatasetError(Reason.DATA_UNSUPPORTED, "The parquet file is encrypted");
  }
  const lower = path.toLowerCase();
  if (head[0] === 0x1f && head[1] === 0x8b) return { format: byName(lower), compression: "gzip" };
  if (head.readUInt32LE(0) === 0xfd2fb528) return { format: byName(lower), compression: "zstd" };
  refuseForeign(head);
  return { format: textFormat(head, lower), compression: "none" };
}

/** An error that names the cap that was passed. */
export function tooLarge(what: string, cap: string): DatasetError {
  return new DatasetError(Reason.DATA_TOO_LARGE, `${what} is larger than the cap of ${cap}`);
}

async function ends(path: string, sizeBytes: number): Promise<{ head: Buffer; tail: Buffer }> {
  const file = await open(path, "r").catch((cause) => {
    throw new DatasetError(Reason.PATH_NOT_ALLOWED, "The file may not be read", { cause });
  });
  try {
    // Never shorter than four bytes, so that magic numbers can be read without a check.
    const head = Buffer.alloc(Math.max(4, Math.min(HEAD_BYTES, sizeBytes)));
    await file.read(head, 0, Math.min(head.length, sizeBytes), 0);
    const tail = Buffer.alloc(8);
    await file.read(tail, 0, 8, Math.max(0, sizeBytes - 8));
    return { head, tail };
  } finally {
    await file.close();
  }
}

function checkParquetTail(tail: Buffer, sizeBytes: number): void {
  if (sizeBytes < 12 || !tail.subarray(4).equals(Buffer.from("PAR1"))) {
    throw new DatasetError(Reason.DATA_CORRUPT, "The parquet file is cut short: its footer is missing");
  }
  const footer = tail.readUInt32LE(0);
  if (footer > sizeBytes - 12) {
    throw new DatasetError(Reason.DATA_CORRUPT, "The parquet file's footer says that it is longer than the file");
  }
  if (footer > MAX_FOOTER_BYTES) throw tooLarge("The parquet file's footer", `${MAX_FOOTER_BYTES / 2 ** 20} MiB`);
}

function refuseForeign(head: Buffer): void {
  const hex = head.subarray(0, 16).toString("hex");
  const found = FOREIGN.find(([magic]) => hex.startsWith(magic));
  if (!found) return;
  throw new DatasetError(Reason.DATA_UNSUPPORTED, `The file is ${found[1]}, which no reader here knows`, {
    hint: "Convert it to parquet, CSV or JSON.",
  });
}

function byName(lower: string): Format {
  return /\.(json|ndjson|jsonl)(\.(gz|gzip|zst|zstd))?$/.test(lower) ? Format.JSON : Format.CSV;
}

/** CSV is what any text is that is not JSON; a text that starts like JSON but is named a CSV stays a CSV. */
function textFormat(head: Buffer, lower: string): Format {
  if (/\.(csv|tsv|tab|psv)$/.test(lower)) return Format.CSV;
  const start = head.toString("latin1").replace(/^(\u00ef\u00bb\u00bf)?\s*/, "");
  if (/^(\{\s*["}]|\[\s*[[{\]])/.test(start)) return Format.JSON;
  // Printable and yet no bracket: a table that is named JSON. A mark or a zero byte means an encoding to be undone first.
  const table = byName(lower) === Format.JSON && /^[\w"';,|-]/.test(start) && !head.includes(0);
  return table ? Format.CSV : byName(lower);
}
