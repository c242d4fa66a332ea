import { type ColumnEdge, isCalled, type Statement, shortName, tableKey } from "./statement.ts";

/** The statements of one file. */
export interface ScriptFile {
  name: string;
  statements: Statement[];
}

/** Where a table is read or written. */
export interface Place {
  /** File beside the data. */
  file: string;
  /** Line in it, from 1. */
  line: number;
  /** Kind of the statement: `create table`, `insert` … */
  statement: string;
  /** Temporary tables between the two ends, in the order of the flow. */
  via: string[];
}

/** A table at the other end of a dependency. */
export interface Dependency {
  /** Name as the SQL writes it first, without quotes. */
  table: string;
  places: Place[];
}

/** What a dataset depends on and what depends on it. */
export interface Dependencies {
  /** Tables that it is made of directly; temporary tables are followed to what they are made of. */
  upstream: Dependency[];
  /** Tables made of it. */
  downstream: Dependency[];
  /** Queries that read it and write nothing that lasts. */
  readers: Place[];
  /** Statements that write it. */
  writers: Place[];
  /** Names under which the SQL writes it: `sales.orders` for a dataset called `orders`. */
  names: string[];
  /** Short names of all tables that the SQL writes. */
  written: string[];
  /** Edges from columns of the upstream tables to its own. */
  columns: ColumnEdge[];
}

interface Located {
  file: string;
  statement: Statement;
}

/** Finds the dependencies of the dataset called `dataset` (its short name) in the statements beside it. */
export function dependenciesOf(dataset: string, files: ScriptFile[]): Dependencies {
  return new Graph(dataset, files).dependencies();
}

class Graph {
  readonly #self: string;
  readonly #all: Located[];
  readonly #namesakes: ReadonlySet<string>;

  constructor(dataset: string, files: ScriptFile[]) {
    this.#self = dataset;
    this.#all = files.flatMap(({ name, statements }) =>
      renamed(statements).map((statement) => ({ file: name, statement })),
    );
    markTemporary(this.#all);
    this.#namesakes = namesakes(dataset, this.#all);
  }

  dependencies(): Dependencies {
    const writers = this.#all.filter(({ statement }) => statement.target && this.#isSelf(statement.target.name));
    const readers = this.#all.filter(({ statement }) => statement.sources.some(({ name }) => this.#isSelf(name)));
    const down = readers.flatMap((one) => this.#follow(one, { via: [], seen: new Set() }));
    return {
      upstream: grouped(writers.flatMap((one) => this.#trace(one, { via: [], seen: new Set() }))),
      downstream: grouped(down.flatMap(({ table, place }) => (table ? [{ table, place }] : []))),
      readers: down.flatMap(({ table, place }) => (table ? [] : [place])),
      writers: writers.map(({ file, statement }) =>
        place(file, statement, { line: statement.target?.line ?? statement.line }),
      ),
      names: [...new Set(writers.map(({ statement }) => statement.target?.name ?? ""))].sort(),
      written: [
        ...new Set(this.#all.flatMap(({ statement }) => (statement.target ? [shortName(statement.target.name)] : []))),
      ].sort(),
      columns: uniqueEdges(writers.flatMap((one) => this.#columns(one, new Set()))),
    };
  }

  /** Whether a name means the dataset: `raw.orders`, from which `dw.orders` is made, does not. */
  #isSelf(name: string): boolean {
    return isCalled(name, this.#self) && !this.#namesakes.has(tableKey(name));
  }

  #writersOf(table: string, file: string): Located[] {
    return this.#all.filter(
      (one) =>
        one.file === file &&
        one.statement.temporary === true &&
        tableKey(one.statement.target?.name ?? "") === tableKey(table),
    );
  }

  /** The lasting tables that a statement reads, through temporary ones of the same file. */
  #trace(at: Located, path: Path): Found[] {
    const { file, statement } = at;
    return statement.sources.flatMap(({ name, line }) => {
      const makers = this.#writersOf(name, file);
      if (makers.length > 0) {
        if (path.seen.has(tableKey(name))) return [];
        const next = { via: [name, ...path.via], seen: new Set([...path.seen, tableKey(name)]) };
        return makers.flatMap((maker) => this.#trace(maker, next));
      }
      return this.#isSelf(name) ? [] : [{ table: name, place: place(file, statement, { line, via: path.via }) }];
    });
  }

  /** What a statement that reads the dataset makes of it, through temporary tables of the same file. */
  #follow(at: Located, path: Path): (Omit<Found, "table"> & { table?: string })[] {
    const { file, statement } = at;
    const read = statement.sources.find(({ name }) => this.#isSelf(name) || path.via.includes(name));
    const here = place(file, statement, { line: read?.line ?? statement.line, via: path.via });
    const target = statement.target?.name;
    if (target === undefined) return [{ place: here }];
    if (this.#isSelf(target)) return [];
    if (!statement.temporary) return [{ table: target, place: here }];
    if (path.seen.has(tableKey(target))) return [];
    const next = { via: [...path.via, target], seen: new Set([...path.seen, tableKey(target)]) };
    return this.#all
      .filter(
        (one) => one.file === file && one.statement.sources.some(({ name }) => tableKey(name) === tableKey(target)),
      )
      .flatMap((one) => this.#follow(one, next));
  }

  #columns({ file, statement }: Located, seen: Set<string>): ColumnEdge[] {
    return statement.columns.flatMap((edge) => {
      const makers = edge.from.table === null ? [] : this.#writersOf(edge.from.table, file);
      const key = JSON.stringify(edge.from).toLowerCase();
      if (makers.length === 0) return [edge];
      if (seen.has(key)) return [];
      return makers.flatMap((maker) =>
        this.#columns(maker, new Set([...seen, key])).flatMap((inner) => joinEdges(inner, edge)),
      );
    });
  }
}

interface Path {
  via: string[];
  seen: Set<string>;
}

interface Found {
  table: string;
  place: Place;
}

/** `a -> t` and `t -> b` make `a -> b`; a `*` on the way lets every column through. */
function joinEdges(inner: ColumnEdge, outer: ColumnEdge): ColumnEdge[] {
  const [into, out] = [inner.to.column, outer.from.column];
  if (into !== "*" && out !== "*" && tableKey(into) !== tableKey(out)) return [];
  const from = into === "*" && inner.from.column === "*" ? { ...inner.from, column: out } : inner.from;
  const to = out === "*" && outer.to.column === "*" ? { ...outer.to, column: into } : outer.to;
  const transform = outer.transform === "identity" ? inner.transform : outer.transform;
  return [{ from, to, transform }];
}

function place(file: string, statement: Statement, at: { line: number; via?: string[] }): Place {
  return { file, line: at.line, statement: statement.kind, via: at.via ?? [] };
}

/** Statements after ALTER TABLE … RENAME: what filled the old name has filled the new one. */
function renamed(statements: Statement[]): Statement[] {
  const done: Statement[] = [];
  for (const statement of statements) {
    const { renamedFrom, target } = statement;
    if (renamedFrom === undefined || !target) {
      done.push(statement);
      continue;
    }
    for (const [index, earlier] of done.entries()) {
      if (earlier.target && tableKey(earlier.target.name) === tableKey(renamedFrom)) {
        const columns = earlier.columns.map((edge) => ({ ...edge, to: { ...edge.to, table: target.name } }));
        done[index] = { ...earlier, target: { ...earlier.target, name: target.name }, columns };
      }
    }
  }
  return done;
}

/** A table that is created and dropped by the same file does not outlive it either. */
function markTemporary(all: Located[]): void {
  const created = new Map<string, number>();
  for (const [index, { file, statement }] of all.entries()) {
    if (statement.kind.startsWith("create") && statement.target)
      created.set(`${file} ${tableKey(statement.target.name)}`, index);
    for (const name of statement.dropped ?? []) {
      if (created.has(`${file} ${tableKey(name)}`)) markAll(all, { file, name });
    }
  }
  for (const one of all) {
    const temporary = all.some(
      ({ file, statement }) =>
        file === one.file &&
        statement.temporary === true &&
        statement.target !== undefined &&
        one.statement.target !== undefined &&
        tableKey(statement.target.name) === tableKey(one.statement.target.name),
    );
    // An INSERT into a temporary table is as temporary as the CREATE before it.
    if (temporary && one.statement.temporary !== true) one.statement = { ...one.statement, temporary: true };
  }
}

function markAll(all: Located[], { file, name }: { file: string; name: string }): void {
  for (const one of all) {
    const target = one.statement.target;
    if (one.file === file && target && tableKey(target.name) === tableKey(name)) {
      one.statement = { ...one.statement, temporary: true };
    }
  }
}

/** Tables of another schema that are called like the dataset and feed it; none where they feed each other. */
function namesakes(dataset: string, all: Located[]): Set<string> {
  const targets = new Set<string>();
  const feeding = new Set<string>();
  for (const { target, sources } of all.map(({ statement }) => statement)) {
    if (!target || !isCalled(target.name, dataset)) continue;
    targets.add(tableKey(target.name));
    for (const { name } of sources) {
      if (isCalled(name, dataset) && tableKey(name) !== tableKey(target.name)) feeding.add(tableKey(name));
    }
  }
  return [...targets].every((name) => feeding.has(name)) ? new Set() : feeding;
}

function grouped(found: Found[]): Dependency[] {
  const groups = new Map<string, Dependency>();
  for (const { table, place: where } of found) {
    const group = groups.get(tableKey(table)) ?? { table, places: [] };
    const known = group.places.some(({ file, line }) => file === where.file && line === where.line);
    if (!known) group.places.push(where);
    groups.set(tableKey(table), group);
  }
  return [...groups.values()].sort((a, b) => (tableKey(a.table) < tableKey(b.table) ? -1 : 1));
}

function uniqueEdges(edges: ColumnEdge[]): ColumnEdge[] {
  const byKey = new Map(edges.map((edge) => [JSON.stringify([edge.from, edge.to]).toLowerCase(), edge]));
  return [...byKey.values()];
}
