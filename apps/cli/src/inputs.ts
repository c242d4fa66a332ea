import { resolve } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { UsageError } from "./usage-error.ts";

/** The inputs of a run as typed: `key=value`, where the value is JSON if it reads as such, else a text. */
export function parseInputs(pairs: readonly string[]): JsonObject {
  const inputs: JsonObject = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`--input ${JSON.stringify(pair)} is no key=value`);
    const key = pair.slice(0, at);
    if (Object.hasOwn(inputs, key)) throw new UsageError(`--input ${key} is given twice`);
    Object.defineProperty(inputs, key, { value: parseValue(pair.slice(at + 1)), enumerable: true });
  }
  return inputs;
}

function parseValue(text: string): JsonValue {
  if (!/^(true|false|null|-?\d|\[|\{|")/.test(text)) return text;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // "2024-01-01" begins like a number and is none: what does not read as JSON is a text.
    return text;
  }
}

/**
 * The inputs with the paths of this machine made absolute, and those paths: what a user types on the command line may be opened by the
 * engine in this process.
 */
export function localPaths(inputs: JsonObject): { inputs: JsonObject; paths: string[] } {
  const paths: string[] = [];
  const made = Object.entries(inputs).map(([key, value]): [string, JsonValue] => {
    const isData = (key === "dataset" || key === "file_path") && typeof value === "string" && !value.includes("://");
    if (!isData || value === "" || value.includes("\0")) return [key, value];
    const path = resolve(value);
    paths.push(path);
    return [key, path];
  });
  return { inputs: Object.fromEntries(made), paths };
}

/** Labels as typed: `key=value`. @throws UsageError */
export function labelsOf(pairs: readonly string[]): Record<string, string> {
  const labels = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`--label ${JSON.stringify(pair)} is no key=value`);
    const key = pair.slice(0, at);
    if (labels.has(key)) throw new UsageError(`--label ${key} is given twice`);
    labels.set(key, pair.slice(at + 1));
  }
  return Object.fromEntries(labels);
}
