import { type Duck, literal } from "./duck.ts";
import type { PlainText } from "./text-file.ts";

/** Levels that become nested columns; what lies deeper stays JSON text. */
const MAX_DEPTH = 16;
const MAX_OBJECT_BYTES = 16 * 2 ** 20;
const FULL_SNIFF_BYTES = 256 * 2 ** 20;
const SNIFF_OBJECTS = 204_800;

/** Parses JSON (an array of objects, or one object after the other) into parquet. Returns the dialect: nothing to tell. */
export async function copyJson(duck: Duck, text: PlainText, target: string): Promise<Record<string, string>> {
  const size = text.sizeBytes <= FULL_SNIFF_BYTES ? -1 : SNIFF_OBJECTS;
  const options = `sample_size = ${size}, maximum_depth = ${MAX_DEPTH}, maximum_object_size = ${MAX_OBJECT_BYTES}, map_inference_threshold = -1`;
  await duck.ask(
    `COPY (SELECT * FROM read_json(${literal(text.path)}, ${options})) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
  );
  return {};
}
