import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, join, relative, resolve } from "node:path";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatasetError, type DatasetSession, Datasets } from "./datasets.ts";

const corpus = resolve(import.meta.dirname, "../../../../../shared/corpus");
const FOLDERS = ["parquet", "csv", "tables", "pii", "cost"];
const ENDINGS = [".parquet", ".csv", ".json", ".txt", ".avro", ".gz"];
const LIMIT_MS = 60_000;

function files(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(corpus, folder), { recursive: true, encoding: "utf8" })
      .map((name) => join(corpus, folder, name))
      .filter((path) => ENDINGS.includes(extname(path).toLowerCase()) && statSync(path).isFile())
      .sort(),
  );
}

const there = existsSync(corpus);
if (!there) process.stdout.write("corpus.test.ts: skipped, ../shared/corpus is absent\n");

describe.skipIf(!there)("every file of the corpus", () => {
  let datasets: Datasets;
  let session: DatasetSession;
  beforeAll(() => {
    datasets = new Datasets({ roots: [corpus], poolThreads: 2 });
    session = datasets.session();
  });
  afterAll(() => datasets.close());

  async function outcome(path: string): Promise<string> {
    try {
      const profile = await session.profile(path, AbortSignal.timeout(LIMIT_MS));
      return profile.columns.length > 0 ? "ok" : "no columns";
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      expect(error.message, "the message names a cause and no path").not.toContain(corpus);
      if (process.env.ODG_CORPUS_LIST)
        process.stdout.write(`${relative(corpus, path)}: ${Reason[error.reason]} ${error.message}\n`);
      return Reason[error.reason] ?? "unknown";
    }
  }

  it(
    "is profiled, or refused with a reason that names the cause",
    async () => {
      const counts: Record<string, number> = {};
      for (const path of files()) {
        const kind = `${relative(corpus, path).split("/")[0]} ${await outcome(path)}`;
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
      process.stdout.write(`${JSON.stringify(counts, null, 2)}\n`);
      const allowed = ["ok", "DATA_CORRUPT", "DATA_TOO_LARGE", "DATA_UNSUPPORTED"];
      for (const kind of Object.keys(counts)) expect(allowed).toContain(kind.split(" ")[1]);
    },
    20 * 60_000,
  );
});
