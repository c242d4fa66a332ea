import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "./errors.ts";

/** One message of a stream as it came: gRPC, gRPC-web and Connect streams pack them alike. */
export interface Envelope {
  /** Whether the message is compressed. */
  readonly compressed: boolean;
  readonly data: Uint8Array;
}

/** The error of a message that passes the limit. It bears no RetryInfo, since waiting does not make it smaller. */
export function tooLarge(maxBytes: number): Error {
  return reject(Reason.MESSAGE_TOO_LARGE, {
    message: `The message is larger than ${maxBytes} bytes.`,
    metadata: { limit_bytes: String(maxBytes) },
  });
}

const HEAD_BYTES = 5; // flags, then the length in 4 bytes, big endian
const COMPRESSED_FLAG = 1;

/**
 * Splits bytes into envelopes. A length is checked when its head has come, before anything is allocated for it.
 *
 * @throws reject(MESSAGE_TOO_LARGE | MALFORMED_PROTO)
 */
export async function* splitEnvelopes(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Envelope, void, undefined> {
  const queue = new ByteQueue();
  let head: { compressed: boolean; length: number } | undefined;
  for await (const chunk of body) {
    queue.push(chunk);
    for (;;) {
      if (head === undefined && queue.size >= HEAD_BYTES) head = readHead(queue.take(HEAD_BYTES), maxBytes);
      if (head === undefined || queue.size < head.length) break;
      yield { compressed: head.compressed, data: queue.take(head.length) };
      head = undefined;
    }
  }
  if (head === undefined && queue.size === 0) return;
  throw reject(Reason.MALFORMED_PROTO, { message: "The request ends within a message." });
}

function readHead(bytes: Buffer, maxBytes: number): { compressed: boolean; length: number } {
  const flags = bytes.readUInt8(0);
  const length = bytes.readUInt32BE(1);
  if ((flags & ~COMPRESSED_FLAG) !== 0) {
    throw reject(Reason.MALFORMED_PROTO, { message: "A message has flags that are not known." });
  }
  if (length > maxBytes) throw tooLarge(maxBytes);
  return { compressed: flags === COMPRESSED_FLAG, length };
}

/** Bytes in the order they came; copied once, when taken. */
class ByteQueue {
  private chunks: Uint8Array[] = [];
  size = 0;

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.size += chunk.byteLength;
  }

  /** The first bytes; there must be as many. */
  take(length: number): Buffer {
    const taken = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.chunks[0];
      if (chunk === undefined) throw new RangeError(`${length} bytes asked for, ${filled} there`);
      const part = chunk.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength === chunk.byteLength) this.chunks.shift();
      else this.chunks[0] = chunk.subarray(part.byteLength);
    }
    this.size -= length;
    return taken;
  }
}
