import { isUtf8 } from "node:buffer";
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";
import { tooLarge } from "./format.ts";
import { MAX_COLUMNS } from "./leaves.ts";
import type { RawFile } from "./source.ts";

/** Text after decompression, in bytes, at most. */
export const MAX_TEXT_BYTES = 8 * 2 ** 30;
/** Longest line of a CSV, in bytes. */
export const MAX_LINE_BYTES = 8 * 2 ** 20;
/** Bytes that one compressed byte may become, once the text is larger than {@link RATIO_FROM_BYTES}. */
const MAX_RATIO = 250;
const RATIO_FROM_BYTES = 256 * 2 ** 20;
const READ_BYTES = 4 * 2 ** 20;

/** A text ready for a parser: UTF-8, plain. */
export interface PlainText {
  readonly path: string;
  /** What it was before: `utf-8`, `utf-16le`, `windows-1252` … */
  readonly encoding: string;
  readonly sizeBytes: number;
}

/**
 * Unpacks and recodes a text as far as is needed; `scratch` is the path of a new file to write to, if one is.
 * @throws DatasetError DATA_TOO_LARGE (size, ratio), DATA_CORRUPT (broken packing), DATA_UNSUPPORTED (binary, UTF-32).
 */
export async function plainText(file: RawFile, scratch: string, signal: AbortSignal): Promise<PlainText> {
  let path = file.path;
  if (file.compression !== "none") {
    path = `${scratch}.unpacked`;
    await unpack(file, path, signal);
  }
  const { encoding, sizeBytes } = await encodingOf(path, signal);
  if (sizeBytes === 0) throw new DatasetError(Reason.DATA_CORRUPT, "The file is empty");
  if (encoding === "utf-8") return { path, encoding, sizeBytes };
  const recoded = `${scratch}.utf8`;
  await pipeline(createReadStream(path), recode(encoding), createWriteStream(recoded), { signal });
  return { path: recoded, encoding, sizeBytes };
}

async function unpack(file: RawFile, target: string, signal: AbortSignal): Promise<void> {
  const decompress = file.compression === "gzip" ? createGunzip() : createZstdDecompress();
  let packed = 0;
  let unpacked = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      unpacked += chunk.length;
      if (unpacked > MAX_TEXT_BYTES) return done(tooLarge("The unpacked text", `${MAX_TEXT_BYTES / 2 ** 30} GiB`));
      if (unpacked > RATIO_FROM_BYTES && unpacked > packed * MAX_RATIO) {
        return done(tooLarge("The ratio of unpacked to packed bytes", String(MAX_RATIO)));
      }
      done(null, chunk);
    },
  });
  const source = createReadStream(file.path).on("data", (chunk) => {
    packed += chunk.length;
  });
  try {
    await pipeline(source, decompress, count, createWriteStream(target), { signal });
  } catch (cause) {
    if (cause instanceof DatasetError || signal.aborted) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (!/^(Z_|ZSTD|ERR_)/.test(code)) throw cause;
    throw new DatasetError(Reason.DATA_CORRUPT, "The compressed file is broken or cut short", { cause });
  }
}

function recode(encoding: string): Transform {
  const decoder = new TextDecoder(encoding);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, decoder.decode(chunk, { stream: true }));
    },
    flush(done) {
      done(null, decoder.decode());
    },
  });
}

/** The encoding by its mark, else UTF-8 where every byte is valid, else Windows-1252, the superset of Latin-1. */
async function encodingOf(path: string, signal: AbortSignal): Promise<{ encoding: string; sizeBytes: number }> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(size, 4096));
    await file.read(head, 0, head.length, 0);
    const marked = byMark(head);
    if (marked) return { encoding: marked, sizeBytes: size };
    let utf8 = true;
    let rest = Buffer.alloc(0);
    const buffer = Buffer.alloc(READ_BYTES);
    for (let at = 0; at < size && utf8; ) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      const joined = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const whole = at >= size ? joined.length : wholeCharacters(joined);
      utf8 = isUtf8(joined.subarray(0, whole));
      rest = Buffer.from(joined.subarray(whole));
    }
    return { encoding: utf8 ? "utf-8" : "windows-1252", sizeBytes: size };
  } finally {
    await file.close();
  }
}

/** Number of leading bytes that end with a whole UTF-8 character. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return bytes.length - back;
  }
  return bytes.length;
}

function byMark(head: Buffer): string | undefined {
  const hex = head.subarray(0, 4).toString("hex");
  if (hex === "fffe0000" || hex === "0000feff") {
    throw new DatasetError(Reason.DATA_UNSUPPORTED, "The text is in UTF-32, which no reader here knows", {
      hint: "Save it as UTF-8.",
    });
  }
  if (hex.startsWith("fffe")) return "utf-16le";
  if (hex.startsWith("feff")) return "utf-16be";
  if (!head.includes(0)) return undefined;
  // Text in UTF-16 without a mark has its zeros on one side of nearly every pair of bytes.
  const zeros = (offset: number) => head.filter((byte, i) => i % 2 === offset && byte === 0).length / (head.length / 2);
  if (zeros(1) > 0.7 && zeros(0) < 0.1) return "utf-16le";
  if (zeros(0) > 0.7 && zeros(1) < 0.1) return "utf-16be";
  if (zeros(0) + zeros(1) > 0.02) {
    throw new DatasetError(Reason.DATA_UNSUPPORTED, "The file is binary, in a format that no reader here knows");
  }
  return undefined;
}

/**
 * Refuses a text with a line longer than {@link MAX_LINE_BYTES}, before a parser allocates for it.
 * @throws DatasetError DATA_TOO_LARGE
 */
export async function refuseLongLines(path: string, signal: AbortSignal): Promise<void> {
  const file = await open(path, "r");
  const buffer = Buffer.alloc(READ_BYTES);
  let sinceBreak = 0;
  let first = true;
  try {
    for (let at = 0; ; ) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      const bytes = buffer.subarray(0, bytesRead);
      if (first) refuseManyColumns(bytes);
      first = false;
      const last = Math.max(bytes.lastIndexOf(10), bytes.lastIndexOf(13));
      sinceBreak = last < 0 ? sinceBreak + bytesRead : bytesRead - last - 1;
      if (sinceBreak > MAX_LINE_BYTES) throw tooLarge("A line of the text", `${MAX_LINE_BYTES / 2 ** 20} MiB`);
    }
  } finally {
    await file.close();
  }
}

/** A parser takes minutes to guess the dialect of a first line that no delimiter splits into few enough fields. */
function refuseManyColumns(bytes: Buffer): void {
  const end = bytes.indexOf(10);
  const line = end < 0 ? bytes : bytes.subarray(0, end);
  for (const delimiter of [",", ";", "\t", "|"]) {
    const code = delimiter.charCodeAt(0);
    let count = 1;
    for (let at = line.indexOf(code); at >= 0; at = line.indexOf(code, at + 1)) count++;
    if (count > MAX_COLUMNS) throw tooLarge("The number of columns", MAX_COLUMNS.toLocaleString("en-US"));
  }
}
