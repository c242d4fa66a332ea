// No raw personal value in any output: not in a report, a rendering, the journal, a passing sight, a log line or an error.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { DuckDBInstance } from "@duckdb/node-api";
import { EphemeralSchema, EventSchema } from "@odg/proto/odg/run/v1/run_pb";
import { toErrorJson } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderJson } from "./report/json.ts";
import { type EngineUnderTest, renderings, sampleLake, startEngine } from "./testing/index.ts";

const corpus = resolve(import.meta.dirname, "../../../../shared/corpus");
const there = existsSync(corpus);
if (!there) process.stdout.write("no-raw-value.test.ts: the corpus is skipped, ../shared/corpus is absent\n");

/** Shorter values stand in honest text by chance. */
const SHORTEST = 6;

let lake: string;
let broken: string;
let engine: EngineUnderTest;
/** What is said of a dataset without people: "Wilson" there is the method of an interval, and gives nobody away. */
let ownWords: string;

beforeAll(async () => {
  lake = sampleLake(2000);
  broken = mkdtempSync(join(tmpdir(), "odg-broken-"));
  engine = await startEngine({ dataRoots: [lake, broken, ...(there ? [corpus] : [])] });
  ownWords = Object.values(await outputs(join(lake, "orders.parquet"))).join("\n");
});
afterAll(async () => {
  await engine?.close();
  for (const folder of [lake, broken]) if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Everything that a run of onboard_dataset puts out, by where it stands. */
async function outputs(dataset: string): Promise<Record<string, string>> {
  const began = engine.log.length;
  try {
    const { run, events, ephemerals } = await engine.run({
      source: { case: "workflowId", value: "onboard_dataset" },
      inputs: { dataset },
    });
    return {
      report: renderJson(await engine.report(run.runId)),
      ...(await renderings(engine.runs, run.runId)),
      journal: JSON.stringify(events.map((event) => toJson(EventSchema, event))),
      ephemerals: JSON.stringify(ephemerals.map((ephemeral) => toJson(EphemeralSchema, ephemeral))),
      log: engine.log.slice(began).join(""),
    };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { error: JSON.stringify(toErrorJson(error)), log: engine.log.slice(began).join("") };
  }
}

/** Distinct values of the columns as text, as long as they are telling. */
async function valuesOf(file: string, columns: readonly string[]): Promise<string[]> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const table = file.endsWith(".parquet") ? `read_parquet('${file}')` : `read_csv('${file}', all_varchar = true)`;
  const values = new Set<string>();
  for (const column of columns) {
    const rows = await connection.runAndReadAll(
      `SELECT DISTINCT "${column}"::VARCHAR FROM ${table} WHERE "${column}" IS NOT NULL`,
    );
    for (const [value] of rows.getRows()) values.add(String(value).trim());
  }
  connection.closeSync();
  const named = new Set(columns.map((column) => column.toLowerCase()));
  return [...values].filter((value) => value.length >= SHORTEST && !named.has(value.toLowerCase()));
}

/** Where raw values stand, as `output: value`; whole words only. */
function leaks(said: Record<string, string>, values: readonly string[]): string[] {
  const telling = values.filter((value) => !holdsWord(ownWords, value));
  return Object.entries(said).flatMap(([where, text]) =>
    telling
      .filter((value) => [value, JSON.stringify(value).slice(1, -1)].some((form) => holdsWord(text, form)))
      .map((value) => `${where}: ${value}`),
  );
}

function holdsWord(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    if (!isWordPart(text[at - 1]) && !isWordPart(text[at + value.length])) return true;
  }
  return false;
}

function isWordPart(letter: string | undefined): boolean {
  return letter !== undefined && /[\p{L}\p{N}]/u.test(letter);
}

describe("the sample lake", () => {
  it.each([
    ["customer_transactions.parquet", ["email", "phone", "ssn"]],
    ["customers.parquet", ["full_name", "email", "phone", "ssn"]],
  ])("gives no value of %s away", async (file, columns) => {
    const values = await valuesOf(join(lake, file), columns);
    expect(values.length).toBeGreaterThan(400);
    const said = await outputs(join(lake, file));
    expect(said.html).toContain("email");
    expect(leaks(said, values)).toEqual([]);
  });
});

describe("a file that cannot be read to its end", () => {
  const people = Array.from({ length: 400 }, (_, i) => ({
    id: i,
    email: `person.${i}@mail-${i}.example`,
    ssn: `${100 + (i % 500)}-${10 + (i % 80)}-${1000 + i}`,
  }));
  const values = people.flatMap(({ email, ssn }) => [email, ssn]);
  const csv = ["id,email,ssn", ...people.map(({ id, email, ssn }) => `${id},${email},${ssn}`)];
  const json = people.map((one) => JSON.stringify(one));

  it.each([
    ["open-quote.csv", [...csv.slice(0, 200), '7,"never closed', ...csv.slice(200)].join("\n")],
    ["late-text.csv", [...csv, "not a number,x@y.example,z,too,many,fields"].join("\n")],
    ["bytes.csv", Buffer.concat([Buffer.from(`${csv.join("\n")}\n`), Buffer.from([0xff, 0xfe, 0x2c, 0x80, 0x0a])])],
    ["cut.json", `[${json.join(",").slice(0, -40)}`],
    ["mixed.json", [...json, '{"id": "person.1@mail-1.example", "email": {"a": 1', ...json].join("\n")],
    ["twice.json", json.map((line) => line.replace('"ssn"', '"email"')).join("\n")],
  ])("gives no value of %s away", async (name, content) => {
    writeFileSync(join(broken, name), content);
    expect(leaks(await outputs(join(broken, name)), values)).toEqual([]);
  });
});

interface Labels {
  files: Record<string, { columns: Record<string, string> }>;
}

describe.skipIf(!there)("the labelled tables of the corpus", () => {
  const labels: Labels = there
    ? JSON.parse(readFileSync(join(corpus, "pii/column-labels.json"), "utf8"))
    : { files: {} };
  const labelled = Object.entries(labels.files).filter(([, { columns }]) => Object.keys(columns).length > 0);

  it.each(labelled)("gives no value of %s away", { timeout: 60_000 }, async (file, { columns }) => {
    const path = join(corpus, file);
    const values = await valuesOf(path, Object.keys(columns));
    expect(values.length).toBeGreaterThan(0);
    const said = await outputs(path);
    expect(said.report, "it was onboarded").toContain(basename(file));
    expect(leaks(said, values)).toEqual([]);
  });

  it("gives no person of the labelled sentences away", { timeout: 60_000 }, async () => {
    const path = join(corpus, "pii/generated_small.json");
    const sentences: { spans: { entity_type: string; entity_value: string }[] }[] = JSON.parse(
      readFileSync(path, "utf8"),
    );
    const personal = /PERSON|EMAIL|PHONE|CREDIT|SSN|IBAN|STREET|IP_/;
    const values = sentences
      .flatMap(({ spans }) => spans)
      .filter(({ entity_type, entity_value }) => personal.test(entity_type) && entity_value.length >= SHORTEST)
      .map(({ entity_value }) => entity_value);
    expect(values.length).toBeGreaterThan(50);
    expect(leaks(await outputs(path), values)).toEqual([]);
  });
});
