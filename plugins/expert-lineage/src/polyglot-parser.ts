import { type Dialect, parse } from "@polyglot-sql/sdk";
import { columnEdges, columnNames } from "./columns.ts";
import { type Flow, flowsOf } from "./flow.ts";
import { type Chunk, chunksOf, SourceText, shownLines, type Token, tokensOf } from "./script.ts";
import { readTables } from "./sources.ts";
import {
  type KnownTables,
  type ParsedScript,
  type ParseOptions,
  type SqlParser,
  type Statement,
  type SyntaxFault,
  type TableUse,
  tableKey,
} from "./statement.ts";
import { child, kindOf, type Node, nodesOf, type TableReference } from "./syntax.ts";

/** Dialects in the order in which they are tried: the most permissive first, then by how unlike the earlier ones they are. */
const DIALECTS = ["generic", "duckdb", "spark", "postgresql", "snowflake", "bigquery", "tsql", "mysql", "oracle"];

/** {@link SqlParser} over @polyglot-sql/sdk, a port of sqlglot. */
export const polyglotParser: SqlParser = {
  parse(text, options = {}) {
    return new Script(text, options).read();
  },
};

/** `line` counts from 1 within the text that was tried. */
type Attempt = { trees: Node[] } | { fault: { message: string; line: number } };

/** A flow, the dialect that read it, and where its chunk begins. */
interface Placed {
  flow: Flow;
  dialect: string;
  offset: number;
}

interface Reading {
  dialect: string;
  got: Attempt;
}

/** One file on its way through the parser. */
class Script {
  readonly #source: SourceText;
  readonly #dialects: string[];
  readonly #tables: KnownTables;
  readonly #columnsOf: (table: string) => boolean;
  readonly #flows: Placed[] = [];
  readonly #faults: SyntaxFault[] = [];
  #tokens: Token[] = [];

  constructor(text: string, { dialect, tables = {}, columnsOf = () => true }: ParseOptions) {
    this.#source = new SourceText(text);
    this.#dialects = [...new Set([...(dialect ? [dialect] : []), ...DIALECTS])];
    this.#tables = { ...tables };
    this.#columnsOf = columnsOf;
  }

  read(): ParsedScript {
    const text = this.#source.slice(0);
    const whole = this.#bestOf(text);
    this.#tokens = this.#words(whole.dialect);
    if (isUnderstood(whole.got)) this.#take(whole, 0);
    else if (this.#tokens.length > 0) for (const chunk of chunksOf(this.#source, this.#tokens)) this.#takeChunk(chunk);
    else this.#reject(whole.got, 0);
    return {
      statements: this.#statements(),
      faults: this.#faults,
      dialect: whole.dialect,
      shownLines: shownLines(this.#source, this.#tokens),
    };
  }

  /** The words of the script; none where no dialect can cut it into words, as with a quote that never closes. */
  #words(first: string): Token[] {
    for (const dialect of [first, ...this.#dialects]) {
      const tokens = tokensOf(this.#source.slice(0), dialect);
      if (tokens) return tokens;
    }
    return [];
  }

  /** The first dialect that understands all, else the first that reads it, else the one that came furthest. */
  #bestOf(text: string): Reading {
    const readings: Reading[] = [];
    for (const dialect of this.#dialects) {
      const reading = { dialect, got: attempt(text, dialect) };
      if (isUnderstood(reading.got)) return reading;
      readings.push(reading);
    }
    return readings.find(({ got }) => "trees" in got) ?? furthest(readings);
  }

  #takeChunk(chunk: Chunk): void {
    const best = this.#bestOf(chunk.text);
    if ("trees" in best.got) {
      this.#take(best, chunk.offset);
      return;
    }
    const inner = blockBody(chunk, { source: this.#source, tokens: this.#tokens });
    if (inner) this.#takeChunk(inner);
    else if (!/^\s*END\b/i.test(chunk.text)) this.#reject(best.got, chunk.offset);
  }

  #take({ got, dialect }: Reading, offset: number): void {
    if (!("trees" in got)) return;
    for (const flow of got.trees.flatMap(flowsOf)) this.#flows.push({ flow, dialect, offset });
  }

  #reject(got: Attempt, offset: number): void {
    if ("fault" in got) this.#faults.push({ ...got.fault, line: this.#source.lineAt(offset) + got.fault.line - 1 });
  }

  #statements(): Statement[] {
    // What does not last, and what is renamed, may stand between the wanted tables and theirs.
    const between = this.#flows.flatMap(({ flow }) => [
      ...(flow.temporary && flow.target ? [flow.target.parts.join(".")] : []),
      ...(flow.dropped ?? []),
      ...(flow.renamedFrom ? [flow.renamedFrom] : []),
    ]);
    const keys = new Set(between.map(tableKey));
    return this.#flows.map((one) =>
      this.#statement(one, (table) => keys.has(tableKey(table)) || this.#columnsOf(table)),
    );
  }

  #statement({ flow, dialect, offset }: Placed, isWanted: (table: string) => boolean): Statement {
    const use = (reference: TableReference): TableUse => ({
      name: reference.parts.join("."),
      line: this.#source.lineAt(this.#place(reference, offset)),
    });
    const sources = distinct(flow.reads.flatMap(readTables).map(use));
    const target = flow.target && use(flow.target);
    const names = [...new Map(sources.map(({ name }) => [tableKey(name), name])).values()];
    const scope = { dialect, target: target?.name ?? "", sources: names, tables: this.#tables };
    const columns = target && isWanted(target.name) ? columnEdges(flow, scope) : [];
    if (target) this.#learn(flow, target.name);
    return {
      kind: flow.kind,
      line: target?.line ?? sources[0]?.line ?? this.#source.lineAt(offset),
      ...(target ? { target } : {}),
      ...(flow.temporary ? { temporary: true } : {}),
      sources,
      columns,
      ...(flow.dropped ? { dropped: flow.dropped } : {}),
      ...(flow.renamedFrom ? { renamedFrom: flow.renamedFrom } : {}),
    };
  }

  /** Where a reference stands in the file; one that the parser does not place is looked for by its word. */
  #place({ offset, word }: TableReference, from: number): number {
    if (offset !== undefined) return from + offset;
    return this.#tokens.find(({ text, start }) => start >= from && text === word)?.start ?? from;
  }

  /** The columns of what was created help to resolve the statements after it. */
  #learn(flow: Flow, target: string): void {
    const names = flow.kind.startsWith("create") ? columnNames(flow) : undefined;
    if (names && !this.#tables[target]) this.#tables[target] = names;
  }
}

function attempt(text: string, dialect: string): Attempt {
  const answer = parse(text, dialect as Dialect);
  if (answer.success) {
    const trees = (Array.isArray(answer.ast) ? answer.ast : [answer.ast]) as unknown[];
    return { trees: nodesOf(trees) };
  }
  return { fault: { message: safeMessage(answer.error ?? "it cannot be read"), line: answer.errorLine ?? 1 } };
}

/** Whether all statements became trees: what a dialect does not know it may pass on as raw text. */
function isUnderstood(got: Attempt): boolean {
  return "trees" in got && got.trees.every((tree) => !isRaw(tree));
}

function isRaw(tree: Node): boolean {
  const [kind = "", body] = kindOf(tree) ?? [];
  return kind === "command" || kind === "raw" || (kind === "create_procedure" && !child(body, "body")?.Statements);
}

function furthest(readings: Reading[]): Reading {
  const line = ({ got }: Reading) => ("fault" in got ? got.fault.line : 0);
  return readings.reduce((best, one) => (line(best) >= line(one) ? best : one));
}

/** Each table once per line. */
function distinct(uses: TableUse[]): TableUse[] {
  return [...new Map(uses.map((use) => [`${use.line} ${tableKey(use.name)}`, use])).values()];
}

/** The parser quotes the text around the fault, which may hold anything: only its own words are kept. */
function safeMessage(message: string): string {
  return message
    .replace(/^\w+ error at line \d+, column \d+: /, "")
    .replace(/ near \[.*$/s, "")
    .replace(/'.*'/gs, "'…'")
    .trim();
}

/** The first statement inside `CREATE PROCEDURE … BEGIN` that no dialect knows as a whole. */
function blockBody(chunk: Chunk, { source, tokens }: { source: SourceText; tokens: Token[] }): Chunk | undefined {
  const end = chunk.offset + Array.from(chunk.text).length;
  const begin = tokens.find(({ text, start }) => start >= chunk.offset && start < end && /^begin$/i.test(text));
  const next = begin && tokens.find(({ start }) => start >= begin.end && start < end);
  if (!next) return undefined;
  return { text: source.slice(next.start, end), offset: next.start };
}
