import { analyzeQuery, type Dialect, generate, parse } from "@polyglot-sql/sdk";
import type { Flow } from "./flow.ts";
import { foldTableNames } from "./fold.ts";
import { shownExpression } from "./nameless.ts";
import { type ColumnEdge, type KnownTables, type Transform, tableKey } from "./statement.ts";
import { child, children, kindOf, type Node, text } from "./syntax.ts";

/** What is known when the columns of a flow are traced. */
export interface ColumnScope {
  /** Dialect that read the statement. */
  dialect: string;
  /** Dotted name of the target. */
  target: string;
  /** Dotted names of the sources. */
  sources: string[];
  tables: KnownTables;
}

/** Longest name made of an expression. */
const MAX_NAME = 200;

const TRANSFORMS: Record<string, Transform> = { direct: "identity", star: "identity", aggregation: "aggregation" };

/** The column edges of a flow, as the parser's own analysis of its query gives them; none where there is no query. */
export function columnEdges(flow: Flow, scope: ColumnScope): ColumnEdge[] {
  if (!flow.query) return [];
  const query = foldTableNames(flow.query);
  const sql = render(query, scope.dialect);
  const analysed = sql === undefined ? undefined : analyze(sql, scope);
  if (!analysed) return [];
  const outputs = outputExpressions(query);
  const hasStar = analysed.projections.some(({ isStar }) => isStar);
  const names = hasStar ? undefined : targetNames(flow, scope);
  const aligned = outputs.length === analysed.projections.length;
  const edges = analysed.projections.flatMap((projection, index) => {
    const name = names?.[index] ?? projection.name ?? written(aligned ? outputs[index] : undefined, scope.dialect);
    return projectionEdges(projection, { column: name ?? `#${index + 1}`, analysed, scope });
  });
  return unique(edges);
}

/** The target's own names: as the statement lists them, else by place, where an INSERT fills a table that is known. */
function targetNames(flow: Flow, { tables, target }: ColumnScope): string[] | undefined {
  if (flow.names && flow.names.length > 0) return flow.names;
  if (!flow.kind.startsWith("insert")) return undefined;
  return Object.entries(tables).find(([name]) => tableKey(name) === tableKey(target))?.[1];
}

function written(expression: Node | undefined, dialect: string): string | undefined {
  return expression && render(shownExpression(expression), dialect)?.slice(0, MAX_NAME);
}

type Projection = Analysis["projections"][number];

function projectionEdges(
  projection: Projection,
  at: { column: string; analysed: Analysis; scope: ColumnScope },
): ColumnEdge[] {
  const { scope } = at;
  const to = { table: scope.target, column: projection.isStar ? "*" : at.column };
  const transform = TRANSFORMS[projection.transformKind] ?? "transformation";
  if (projection.upstream.length > 0) {
    return projection.upstream.map(({ table, column }) => ({
      from: { table: sourceOf(table, scope), column },
      to,
      transform,
    }));
  }
  if (projection.isStar) return starEdges(projection.starTable, at);
  // COUNT(*) names no column and depends on all rows.
  return transform === "aggregation"
    ? scope.sources.map((table) => ({ from: { table, column: "*" }, to, transform }))
    : [];
}

/** The source as the SQL spells it; `null` where the analysis could not tell and there is more than one. */
function sourceOf(table: string | undefined | null, { sources }: ColumnScope): string | null {
  const named = sources.find((one) => tableKey(one) === tableKey(table ?? ""));
  return named ?? (sources.length === 1 ? (sources[0] ?? null) : null);
}

type Analysis = NonNullable<ReturnType<typeof analyze>>;

function analyze(sql: string, { dialect, tables }: ColumnScope) {
  const schema = { tables: Object.entries(tables).map(([name, columns]) => schemaTable(name, columns)) };
  const options = { dialect, ...(schema.tables.length > 0 ? { schema } : {}) };
  const answer = analyzeQuery(sql, options);
  if (answer.success) return answer.analysis;
  const plain = analyzeQuery(sql, { dialect });
  return plain.success ? plain.analysis : undefined;
}

function schemaTable(name: string, columns: string[]) {
  const cut = name.lastIndexOf(".");
  return {
    name: name.slice(cut + 1),
    ...(cut > 0 ? { schema: name.slice(0, cut) } : {}),
    columns: columns.map((column) => ({ name: column, type: "VARCHAR" })),
  };
}

/** `*` of tables whose columns nobody knows: all of one table go to all of the target. */
function starEdges(starTable: string | undefined, at: { analysed: Analysis; scope: ColumnScope }): ColumnEdge[] {
  const { analysed, scope } = at;
  const relation = analysed.relations.find(
    ({ alias, name }) => starTable !== undefined && (alias ?? name) === starTable,
  );
  const named = relation?.kind === "table" ? sourceOf(relation.name, scope) : null;
  const tables = named === null ? scope.sources : [named];
  return tables.map((table) => ({
    from: { table, column: "*" },
    to: { table: scope.target, column: "*" },
    transform: "identity",
  }));
}

/** The expressions of the first SELECT of a query. */
function outputExpressions(query: Node | undefined): Node[] {
  const [kind, body] = kindOf(query) ?? [];
  if (!body) return [];
  if (kind === "select") return children(body, "expressions");
  return outputExpressions(child(body, "left") ?? child(body, "this"));
}

/** Names of the columns that a flow gives its target; `undefined` where a `*` or an expression leaves one open. */
export function columnNames(flow: Flow): string[] | undefined {
  if (flow.names && flow.names.length > 0) return flow.names;
  const names = outputExpressions(flow.query).map(
    (one) => text(child(one, "alias", "alias"), "name") ?? text(child(one, "column", "name"), "name"),
  );
  const known = names.filter((name) => name !== undefined && name !== "*");
  return known.length > 0 && known.length === names.length ? (known as string[]) : undefined;
}

/** SQL of a tree; `undefined` where the parser cannot write it. */
function render(tree: Node, dialect: string): string | undefined {
  const answer = generate([complete(tree)], dialect as Dialect);
  return answer.success ? answer.sql?.[0] : undefined;
}

/** A select that was put together lacks members that the parser's writer demands: take them from a parsed one. */
function complete(tree: Node): Node {
  const select = child(tree, "select");
  if (!select || "locks" in select) return tree;
  const parsed = parse("SELECT 1 FROM t");
  const template = parsed.success && Array.isArray(parsed.ast) ? child(parsed.ast[0] as Node, "select") : undefined;
  return { select: { ...template, ...select } };
}

/** Each edge once; those into one column by the names of their sources, for the analysis gives them in no fixed order. */
function unique(edges: ColumnEdge[]): ColumnEdge[] {
  const byKey = new Map(edges.map((edge) => [JSON.stringify(edge).toLowerCase(), edge]));
  const targets = [...new Set(edges.map(({ to }) => to.column))];
  const place = new Map(targets.map((column, index) => [column, index]));
  return [...byKey]
    .sort(
      ([a, { to: p }], [b, { to: q }]) => (place.get(p.column) ?? 0) - (place.get(q.column) ?? 0) || (a < b ? -1 : 1),
    )
    .map(([, edge]) => edge);
}
