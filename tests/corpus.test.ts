// onboard_dataset over every file of the corpus: a report, or a typed refusal that names the cause.
import { copyFileSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join, relative, resolve } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { type EngineUnderTest, startEngine } from "@odg/engine/testing";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reasonName, reasonOf } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const corpus = resolve(import.meta.dirname, "../../shared/corpus");
const FOLDERS = ["parquet", "csv", "tables", "pii", "cost", "quality"];
const AT_ONCE = 3;
const LIMIT_MS = 60_000;
/** What may be said of data that cannot be onboarded. */
const REFUSALS = [Reason.DATA_CORRUPT, Reason.DATA_TOO_LARGE, Reason.DATA_UNSUPPORTED];

const there = existsSync(corpus);
if (!there) process.stdout.write("tests/corpus.test.ts: skipped, ../shared/corpus is absent\n");

interface Outcome {
  file: string;
  /** "report", or the reason of the refusal. */
  outcome: string;
  message: string;
  ms: number;
}

/** Data files; metadata of the corpus itself is data, too: any JSON is a file that somebody may try. */
function dataFiles(): string[] {
  return FOLDERS.flatMap((folder) => globSync(`${folder}/**/*`, { cwd: corpus, withFileTypes: true }))
    .filter((entry) => entry.isFile() && extname(entry.name) !== ".md")
    .map((entry) => relative(corpus, join(entry.parentPath, entry.name)))
    .sort();
}

describe.skipIf(!there)("onboard_dataset over the corpus", () => {
  let root: string;
  let engine: EngineUnderTest;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "odg-corpus-"));
    engine = await startEngine({ dataRoots: [root], logLevel: "error" });
  });
  afterAll(async () => {
    await engine?.close();
    if (root) rmSync(root, { recursive: true, force: true });
  });

  /** Alone in a folder: the experts look into what lies beside a dataset, here hundreds of strangers. */
  function alone(file: string): string {
    const folder = mkdtempSync(join(root, "alone-"));
    const path = join(folder, basename(file));
    copyFileSync(join(corpus, file), path);
    return path;
  }

  async function onboard(file: string): Promise<Outcome> {
    const began = performance.now();
    const { outcome, message } = await attempt(alone(file));
    return { file, outcome, message, ms: Math.round(performance.now() - began) };
  }

  async function attempt(dataset: string): Promise<Pick<Outcome, "outcome" | "message">> {
    try {
      const { run } = await engine.run({
        source: { case: "workflowId", value: "onboard_dataset" },
        inputs: { dataset },
      });
      if (run.status !== RunStatus.SUCCEEDED) {
        return { outcome: reasonName(run.failure?.reason ?? 0), message: run.failure?.message ?? "" };
      }
      const { findings, profiles } = await engine.report(run.runId);
      const whole = findings.length > 0 && (profiles[0]?.columns.length ?? 0) > 0;
      return { outcome: whole ? "report" : "empty report", message: "" };
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code === Code.Unknown) throw error;
      return { outcome: reasonName(reasonOf(error)), message: error.rawMessage };
    }
  }

  it("gives a report or a refusal that names the cause, in time", { timeout: 15 * 60_000 }, async () => {
    const files = dataFiles();
    const outcomes: Outcome[] = [];
    const worker = async () => {
      for (let file = files.shift(); file !== undefined; file = files.shift()) outcomes.push(await onboard(file));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    process.stdout.write(tableOf(outcomes));
    const fair = new Set(["report", ...REFUSALS.map(reasonName)]);
    expect(outcomes.filter(({ outcome }) => !fair.has(outcome))).toEqual([]);
    expect(outcomes.filter(({ ms }) => ms > LIMIT_MS)).toEqual([]);
    expect(
      outcomes.filter(({ message }) => message.includes(root)),
      "messages name no path",
    ).toEqual([]);
    expect(engine.log, "nothing that an operator would have to look at").toEqual([]);
  });
});

function tableOf(outcomes: readonly Outcome[]): string {
  const byOutcome = Map.groupBy(outcomes, ({ outcome }) => outcome);
  const rows = [...byOutcome].sort().map(([outcome, all]) => `  ${String(all.length).padStart(4)}  ${outcome}`);
  const slowest = outcomes.toSorted((a, b) => b.ms - a.ms)[0];
  return `onboard_dataset over ${outcomes.length} files (slowest: ${slowest?.file}, ${slowest?.ms} ms)\n${rows.join("\n")}\n`;
}
