import type { WorkerFunction } from "@odg/expert-plugin-api/worker";
import { isTemplated, readDbtModel } from "./dbt.ts";
import { type Dependencies, dependenciesOf, type ScriptFile } from "./graph.ts";
import { polyglotParser } from "./polyglot-parser.ts";
import { isCalled, type KnownTables, type ParsedScript, type SqlParser, type SyntaxFault } from "./statement.ts";

/** What the worker gets. */
export interface LineageJob {
  /** Name of the dataset. */
  dataset: string;
  files: { name: string; text: string }[];
  /** Dialect to try first; empty: find out. */
  dialect: string;
  tables: KnownTables;
}

/** A dependency with the lines that prove it, as they may be shown. */
export interface LineageAnswer extends Dependencies {
  /** Shown text of the lines named by the places, by `file:line`. */
  lines: Record<string, string>;
  faults: (SyntaxFault & { file: string })[];
  /** Number of statements that were read. */
  statements: number;
}

/** Longest evidence line. */
const MAX_LINE = 200;

/** Reads SQL files with a parser and finds the dependencies of one dataset in them. */
export function readLineage(job: LineageJob, parser: SqlParser): LineageAnswer {
  const files: ScriptFile[] = [];
  const shown = new Map<string, string[]>();
  const faults: LineageAnswer["faults"] = [];
  for (const { name, text } of job.files) {
    const script = readScript({ name, text }, job, parser);
    files.push({ name, statements: script.statements });
    shown.set(name, script.shownLines);
    faults.push(...script.faults.map((fault) => ({ ...fault, file: name })));
  }
  const found = dependenciesOf(job.dataset, files);
  const places = [...found.upstream, ...found.downstream].flatMap((one) => one.places);
  const lines = [...places, ...found.readers, ...found.writers].map(({ file, line }): [string, string] => [
    `${file}:${line}`,
    (shown.get(file)?.[line - 1] ?? "").slice(0, MAX_LINE),
  ]);
  const statements = files.reduce((sum, file) => sum + file.statements.length, 0);
  return { ...found, lines: Object.fromEntries(lines), faults, statements };
}

function readScript(file: LineageJob["files"][number], job: LineageJob, parser: SqlParser): ParsedScript {
  const model = readDbtModel(file.name, file.text);
  const columnsOf = (table: string) => isCalled(table, job.dataset);
  const options = { ...(job.dialect ? { dialect: job.dialect } : {}), tables: job.tables, columnsOf };
  const script = parser.parse(model?.sql ?? file.text, options);
  if (!model) return script;
  const [first = "", ...rest] = script.shownLines;
  const statements = script.statements.map((statement) => ({
    ...statement,
    kind: "dbt model",
    columns: statement.columns.filter(({ from, to }) => !isTemplated(`${from.column} ${to.column}`)),
  }));
  return { ...script, statements, shownLines: [first.replace(model.prefix, ""), ...rest] };
}

/** In a pool thread: the parser is 20 MB of WebAssembly and takes about a second to load. */
const mapLineage: WorkerFunction<LineageJob, LineageAnswer> = (job) => readLineage(job, polyglotParser);
export default mapLineage;
