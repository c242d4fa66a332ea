import { createHash } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { type BlobRef, BlobRefSchema, type TaskCompleted, type TaskExpanded } from "@odg/proto/odg/run/v1/run_pb";
import type { Blob } from "../store/store.ts";

/** A value that takes more bytes than this is kept beside the journal, and the event holds its digest. */
export const BLOB_BYTES = 256 * 1024;

/** Where blobs are kept. */
export interface BlobSource {
  getBlob(digest: string): Promise<Uint8Array | undefined>;
}

/** Moves a large output out of an event that is not recorded yet; answers what has to be kept with it. */
export function detachOutput(completed: TaskCompleted): Blob[] {
  if (!completed.output || !mayBeLarge(completed.output)) return [];
  const bytes = toBinary(ValueSchema, completed.output);
  if (bytes.length <= BLOB_BYTES) return [];
  const { ref, blob } = blobOf(bytes);
  completed.output = undefined;
  completed.outputBlob = ref;
  return [blob];
}

/** Moves a large list of items out of an event that is not recorded yet; answers what has to be kept with it. */
export function detachItems(expanded: TaskExpanded): Blob[] {
  if (!expanded.items) return [];
  const list = create(ValueSchema, { kind: { case: "listValue", value: expanded.items } });
  const bytes = toBinary(ValueSchema, list);
  if (bytes.length <= BLOB_BYTES) return [];
  const { ref, blob } = blobOf(bytes);
  expanded.items = undefined;
  expanded.itemsBlob = ref;
  return [blob];
}

/** @throws Error where the store has lost it */
export async function readValue(source: BlobSource, { digest }: BlobRef): Promise<Value> {
  const bytes = await source.getBlob(digest);
  if (!bytes) throw new Error(`the store has no blob ${digest}`);
  return fromBinary(ValueSchema, bytes);
}

function blobOf(bytes: Uint8Array): { ref: BlobRef; blob: Blob } {
  const digest = createHash("sha256").update(bytes).digest("hex");
  return { ref: create(BlobRefSchema, { digest, size: BigInt(bytes.length) }), blob: { digest, bytes } };
}

/** Whether it could take that many bytes: a look that ends early, as almost every output is small. UTF-8 takes up to 3 bytes a unit. */
function mayBeLarge(value: Value): boolean {
  let left = BLOB_BYTES;
  const todo: Value[] = [value];
  for (let one = todo.pop(); one && left > 0; one = todo.pop()) {
    left -= 12;
    const { kind } = one;
    if (kind.case === "stringValue") left -= 3 * kind.value.length;
    else if (kind.case === "listValue") for (const element of kind.value.values) todo.push(element);
    else if (kind.case === "structValue") left -= 3 * JSON.stringify(kind.value).length;
  }
  return left <= 0;
}
