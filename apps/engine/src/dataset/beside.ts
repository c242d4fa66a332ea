import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { create, type JsonObject } from "@bufbuild/protobuf";
import { type Document, DocumentKind, DocumentSchema } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { parse } from "yaml";
import { z } from "zod";
import { DatasetError } from "./dataset-error.ts";

const MAX_DOCUMENTS = 200;
const MAX_DOCUMENT_BYTES = 2 ** 20;
const CONTRACT_ENDINGS = ["yaml", "yml", "json"];
const DATA_FILE = /\.(parquet|csv|tsv|txt|json|ndjson|jsonl)(\.(gz|zst))?$/i;
const NOT_DATA = /(^|\.)contract\.(ya?ml|json)$|^(manifest|package|package-lock|tsconfig)\.json$|^\./i;

/** A contract and the name of its file. */
export interface Contract {
  readonly content: JsonObject;
  readonly source: string;
}

/** Name of a dataset for people: its file's name without endings. */
export function datasetName(path: string): string {
  const name = basename(path).replace(/\.(gz|zst)$/i, "");
  return name.replace(/\.[^.]+$/, "") || name;
}

/**
 * The contract beside a dataset: `<name>.contract.{yaml,yml,json}`, else `contract.{yaml,yml,json}` of the folder.
 * @throws DatasetError INPUT_INVALID where the file is there but is no mapping.
 */
export async function contractBeside(path: string): Promise<Contract | undefined> {
  for (const stem of [`${datasetName(path)}.contract`, "contract"]) {
    for (const ending of CONTRACT_ENDINGS) {
      const source = `${stem}.${ending}`;
      const text = await textOf(join(dirname(path), source));
      if (text !== undefined) return { content: parseContract(text, source), source };
    }
  }
  return undefined;
}

function parseContract(text: string, source: string): JsonObject {
  const bad = (cause: unknown) =>
    new DatasetError(Reason.INPUT_INVALID, "The contract beside the dataset is not a mapping in YAML or JSON", {
      subject: source,
      cause,
    });
  let value: unknown;
  try {
    // The core schema keeps dates as text; few aliases, so that no small file grows large.
    value = parse(text, { schema: "core", maxAliasCount: 50 });
  } catch (cause) {
    throw bad(cause);
  }
  const parsed = z.record(z.string(), z.json()).safeParse(value);
  if (!parsed.success) throw bad(parsed.error);
  return parsed.data as JsonObject;
}

/** Texts beside a dataset in the order of their names: its folder's SQL files and its contract. */
export async function documentsBeside(path: string, kind = DocumentKind.UNSPECIFIED): Promise<Document[]> {
  const folder = dirname(path);
  const found: Document[] = [];
  if (kind !== DocumentKind.CONTRACT) {
    const names = (await namesIn(folder)).filter((name) => name.toLowerCase().endsWith(".sql"));
    for (const name of names.slice(0, MAX_DOCUMENTS)) {
      const text = await textOf(join(folder, name));
      if (text !== undefined) found.push(create(DocumentSchema, { name, text, kind: DocumentKind.SQL }));
    }
  }
  if (kind !== DocumentKind.SQL) {
    const contract = await contractBeside(path);
    const text = contract && (await textOf(join(folder, contract.source)));
    if (contract && text) {
      found.push(create(DocumentSchema, { name: contract.source, text, kind: DocumentKind.CONTRACT }));
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names of the data files in the folder of a dataset, without the dataset itself, in order. */
export async function dataFilesBeside(path: string): Promise<string[]> {
  const names = await namesIn(dirname(path));
  return names
    .filter((name) => DATA_FILE.test(name) && !NOT_DATA.test(name) && name !== basename(path))
    .slice(0, MAX_DOCUMENTS);
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** The text of a small regular file; undefined where there is none or it is too large to be a document. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    // A link might lead out of the folder: only plain files.
    const stats = await lstat(path);
    if (!stats.isFile() || stats.size > MAX_DOCUMENT_BYTES) return undefined;
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new DatasetError(Reason.PATH_NOT_ALLOWED, "A file beside the dataset may not be read", { cause: error });
  }
}
