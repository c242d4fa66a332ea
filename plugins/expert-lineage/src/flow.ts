import {
  asNode,
  child,
  children,
  kindOf,
  type Node,
  nodesOf,
  type TableReference,
  tableReference,
  targetReference,
  text,
} from "./syntax.ts";

/** A statement taken apart: what it writes, the tree that it reads, and where its columns come from. */
export interface Flow {
  /** Kind in words of SQL. */
  kind: string;
  target?: TableReference;
  temporary?: boolean;
  /** Subtrees whose tables are sources. */
  reads: unknown[];
  /** The query whose output columns fill the target. */
  query?: Node;
  /** Names that the target gives to those columns. */
  names?: string[];
  dropped?: string[];
  renamedFrom?: string;
}

type Unwrap = (body: Node, tree: Node) => Flow[];

/** How each kind of statement is taken apart. Other kinds move no data. */
const UNWRAP: Record<string, Unwrap> = {
  select: (body, tree) => [queryFlow(tree, body)],
  union: (body, tree) => [queryFlow(tree, body)],
  intersect: (body, tree) => [queryFlow(tree, body)],
  except: (body, tree) => [queryFlow(tree, body)],
  subquery: (_, tree) => [queryFlow(tree)],
  describe: (body) => flowsOf(child(body, "target")).filter(({ kind }) => kind === "select"),
  create_table: createTable,
  create_view: createView,
  insert: (body) => [insert(body, child(body, "query"))],
  multitable_inserts: multiInsert,
  merge,
  update,
  delete: deleteRows,
  copy,
  load_data: (body) => [
    {
      kind: "load data",
      target: targetReference(child(body, "table")),
      reads: fileSource(text(body, "inpath")),
    },
  ],
  alter_table: alterTable,
  drop_table: drop,
  drop_view: drop,
  create_procedure: (body) => children(child(body, "body"), "Statements").flatMap(flowsOf),
};

/** The flows of a statement: several for a multi-table insert or the body of a procedure. */
export function flowsOf(tree: Node | undefined): Flow[] {
  const [kind, body] = kindOf(tree) ?? [];
  if (!tree || !kind || !body) return [];
  return UNWRAP[kind]?.(body, tree) ?? [];
}

function queryFlow(tree: Node, body?: Node): Flow {
  const into = intoOf(body);
  const target = targetReference(child(into, "this"));
  if (!target) return { kind: "select", reads: [tree], query: tree };
  const temporary = into?.temporary === true || isTemporaryName(target);
  return { kind: "select into", target, temporary, reads: [tree], query: tree };
}

/** SELECT … INTO stands in the first branch of a set operation. */
function intoOf(body: Node | undefined): Node | undefined {
  const into = child(body, "into");
  if (into || !body) return into;
  const [, left] = kindOf(child(body, "left")) ?? [];
  return left ? intoOf(left) : undefined;
}

function isTemporaryName({ parts }: TableReference): boolean {
  return parts.at(-1)?.startsWith("#") === true;
}

function createTable(body: Node): Flow[] {
  const target = tableReference(child(body, "name"));
  const like = nodesOf(children(body, "constraints").map((one) => child(one, "Like", "source")));
  const clone = child(body, "clone_source");
  const query = child(body, "as_select");
  if (!target) return [];
  return [
    {
      kind: "create table",
      target,
      temporary: body.temporary === true || isTemporaryName(target),
      reads: [query, { with: body.with_cte }, ...[...like, ...(clone ? [clone] : [])].map((table) => ({ table }))],
      query,
      names: query ? children(body, "columns").flatMap((one) => text(child(one, "name"), "name") ?? []) : [],
    },
  ];
}

function createView(body: Node): Flow[] {
  const names = children(body, "columns").flatMap((one) => text(child(one, "name"), "name") ?? []);
  const query = child(body, "query");
  return [
    {
      kind: "create view",
      target: tableReference(child(body, "name")),
      temporary: body.temporary === true,
      reads: [query],
      query,
      names,
    },
  ];
}

function insert(body: Node, query: Node | undefined): Flow {
  const target = tableReference(child(body, "table"));
  return {
    kind: body.overwrite === true ? "insert overwrite" : "insert",
    ...(target ? { target } : {}),
    reads: [{ with: body.with, query, values: body.values }],
    ...(query ? { query: withClause(query, body) } : {}),
    names: children(body, "columns").flatMap((one) => text(one, "name") ?? []),
  };
}

/** The query with the WITH that stands before its statement. */
function withClause(query: Node, body: Node): Node {
  const [kind, inner] = kindOf(query) ?? [];
  if (!body.with || !kind || !inner || inner.with) return query;
  return { [kind]: { ...inner, with: body.with } };
}

function multiInsert(body: Node): Flow[] {
  const source = child(body, "source");
  return children(body, "expressions").flatMap((one) => {
    const part = child(one, "conditional_insert", "this", "insert") ?? child(one, "insert");
    if (!part) return [];
    const { query: _, ...flow } = insert(part, source);
    return [flow];
  });
}

function merge(body: Node): Flow[] {
  const target = targetReference(child(body, "this"));
  const using = child(body, "using");
  const clauses = children(child(body, "whens", "whens") ?? child(body, "whens"), "expressions");
  const assignments = clauses.flatMap((clause) => mergeAssignments(child(clause, "when", "then")));
  const withTree = child(body, "with_", "with") ?? body.with_;
  return [
    {
      kind: "merge",
      ...(target ? { target } : {}),
      reads: [{ with: withTree, query: using, on: body.on, whens: clauses }],
      ...assignmentQuery(assignments, { relations: [child(body, "this"), using], with: withTree }),
    },
  ];
}

type Assignment = [name: string, value: Node];

/** `UPDATE SET a = b, …` and `INSERT (a, …) VALUES (b, …)` of a WHEN. */
function mergeAssignments(then: Node | undefined): Assignment[] {
  const [verb, first, second] = children(child(then, "tuple"), "expressions");
  const word = text(child(verb, "var"), "this");
  const left = children(child(first, "tuple"), "expressions");
  if (word === "UPDATE") {
    return left.flatMap((one): Assignment[] => {
      const name = columnName(child(one, "eq", "left"));
      const value = child(one, "eq", "right");
      return name && value ? [[name, value]] : [];
    });
  }
  const values = children(child(second, "tuple"), "expressions");
  return left.flatMap((one, index): Assignment[] => {
    const name = text(child(one, "identifier"), "name") ?? columnName(one);
    const value = values[index];
    return name && value ? [[name, value]] : [];
  });
}

function columnName(node: Node | undefined): string | undefined {
  return text(child(node, "column", "name"), "name") ?? text(child(node, "identifier"), "name");
}

function update(body: Node): Flow[] {
  const named = tableReference(child(body, "table"));
  const from = [
    ...children(child(body, "from_clause"), "expressions"),
    ...joined(body, "from_joins"),
    ...joined(body, "table_joins"),
    ...children(body, "extra_tables").map((table) => ({ table })),
  ];
  // T-SQL updates by the alias that FROM gives: UPDATE t … FROM orders t.
  const aliased = from.find(
    (one) => aliasOf(one) !== undefined && aliasOf(one) === named?.parts.join(".").toLowerCase(),
  );
  const target = aliased ? tableReference(child(aliased, "table")) : named;
  const sources = from.filter((one) => one !== aliased);
  const sets = Array.isArray(body.set) ? body.set : [];
  const assignments = sets.flatMap((pair: unknown): Assignment[] => {
    const [column, value] = Array.isArray(pair) ? pair.map(asNode) : [];
    const name = text(column, "name");
    return name && value ? [[name.slice(name.lastIndexOf(".") + 1), value]] : [];
  });
  return [
    {
      kind: "update",
      ...(target ? { target } : {}),
      reads: [{ with: body.with, query: [sources, body.set, body.where_clause] }],
      ...assignmentQuery(assignments, { relations: [aliased ?? { table: body.table }, ...sources], with: body.with }),
    },
  ];
}

function joined(body: Node, key: string): Node[] {
  return nodesOf(children(body, key).map((join) => child(join, "this")));
}

function aliasOf(relation: Node): string | undefined {
  return tableReference(child(relation, "table"))?.alias?.toLowerCase();
}

function deleteRows(body: Node): Flow[] {
  const target = tableReference(child(body, "table"));
  const names = [target?.parts.join("."), target?.alias, text(child(body, "alias"), "name")];
  const reads = [{ with: body.with, using: body.using, query: [body.joins, body.where_clause] }];
  if (!target || names.includes("table")) return [];
  return [{ kind: "delete", target, reads }];
}

/** The assignments of an UPDATE or MERGE as the query that yields the same values. */
function assignmentQuery(
  assignments: Assignment[],
  from: { relations: (Node | undefined)[]; with: unknown },
): Pick<Flow, "query" | "names"> {
  if (assignments.length === 0) return {};
  const select = {
    expressions: assignments.map(([, value]) => value),
    from: { expressions: from.relations.filter((one) => one !== undefined) },
    with: from.with ?? null,
  };
  return { query: { select }, names: assignments.map(([name]) => name) };
}

function copy(body: Node): Flow[] {
  const files = children(body, "files").flatMap((one) => text(child(one, "literal"), "value") ?? []);
  const table = targetReference(child(body, "this"));
  if (body.kind === true) return [{ kind: "copy", ...(table ? { target: table } : {}), reads: fileSource(files[0]) }];
  const target = files[0] === undefined ? undefined : { parts: [location(files[0])], word: files[0] };
  return [{ kind: "copy", ...(target ? { target } : {}), reads: [body.this], query: child(body, "this") }];
}

function fileSource(file: string | undefined): Node[] {
  return file === undefined ? [] : [{ table: { name: { name: location(file) }, word: file } }];
}

/** A place without what may be secret in it: user, password, query. */
function location(uri: string): string {
  return uri.replace(/[?#].*$/s, "").replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
}

function alterTable(body: Node): Flow[] {
  const table = tableReference(child(body, "name"));
  if (!table) return [];
  return children(body, "actions").flatMap((action): Flow[] => {
    const renamed = tableReference(child(action, "RenameTable"));
    if (renamed) return [{ kind: "rename", target: renamed, reads: [], renamedFrom: table.parts.join(".") }];
    const swap = child(action, "SwapWith") ?? exchanged(text(child(action, "Raw"), "sql"));
    return swap ? [{ kind: "swap", target: table, reads: [{ table: swap }] }] : [];
  });
}

/** Hive's EXCHANGE PARTITION (…) WITH TABLE other, which the parser hands on as text. */
function exchanged(sql: string | undefined): Node | undefined {
  const name = /^EXCHANGE\s+PARTITION\b.*\bWITH\s+TABLE\s+([\w.`]+)/is.exec(sql ?? "")?.[1];
  return name === undefined ? undefined : { name: { name: name.replaceAll("`", "") } };
}

function drop(body: Node): Flow[] {
  const names = [...children(body, "names"), ...(child(body, "name") ? [child(body, "name")] : [])];
  return [{ kind: "drop", reads: [], dropped: names.flatMap((one) => tableReference(one)?.parts.join(".") ?? []) }];
}
