import { asNode, child, children, type Node, type TableReference, tableReference, text } from "./syntax.ts";

/**
 * The tables that a tree reads, in the order of the text. Names of CTEs are left out where they are in scope: a CTE is
 * seen by those after it, and by itself only when recursive; a qualified name is never a CTE.
 */
export function readTables(tree: unknown): TableReference[] {
  const found: TableReference[] = [];
  visit(tree, { ctes: new Set(), aliases: new Set(), found });
  return found.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
}

interface Scope {
  ctes: ReadonlySet<string>;
  /** Aliases of the tables in the same FROM: `FROM t, t.items` unnests and reads no second table. */
  aliases: ReadonlySet<string>;
  found: TableReference[];
}

/** Functions of DuckDB that read the file named by their first argument. */
const FILE_READERS = /^(read_parquet|parquet_scan|read_csv|read_csv_auto|read_json|read_json_auto|read_ndjson)$/i;

function visit(value: unknown, scope: Scope): void {
  if (Array.isArray(value)) {
    for (const one of value) visit(one, scope);
    return;
  }
  const node = asNode(value);
  if (!node) return;
  const inner = withAliases(node, withCtes(node, scope));
  for (const [key, part] of Object.entries(node)) {
    if (key === "with" || key === "with_" || key === "into" || key === "span") continue;
    if (key === "table" || key === "using") collect(part, inner);
    visit(part, inner);
  }
  collectFile(node, scope);
}

function collect(part: unknown, scope: Scope): void {
  for (const one of Array.isArray(part) ? part : [part]) {
    const reference = tableReference(asNode(one));
    if (!reference) continue;
    const [first = ""] = reference.parts.map((name) => name.toLowerCase());
    if (scope.ctes.has(first) && reference.parts.length === 1) continue;
    if (scope.aliases.has(first) && reference.parts.length === 2) continue;
    scope.found.push(reference);
  }
}

function collectFile(node: Node, scope: Scope): void {
  const call = child(node, "function");
  if (!FILE_READERS.test(text(call, "name") ?? "")) return;
  const [first] = children(call, "args");
  const name = text(child(first, "literal"), "value");
  if (name) scope.found.push({ parts: [name], word: name });
}

/** The scope that a node's WITH makes for the rest of it; the bodies of the CTEs are visited on the way. */
function withCtes(node: Node, scope: Scope): Scope {
  const clause = child(node, "with") ?? child(node, "with_");
  // MERGE wraps its clause as an expression.
  const unwrapped = child(clause, "with") ?? clause;
  const list = children(unwrapped, "ctes").map((one) => child(one, "cte") ?? one);
  if (list.length === 0) return scope;
  const ctes = new Set(scope.ctes);
  for (const cte of list) {
    const name = text(child(cte, "alias"), "name")?.toLowerCase();
    if (name && unwrapped?.recursive === true) ctes.add(name);
    visit(cte.this, { ...scope, ctes: new Set(ctes) });
    if (name) ctes.add(name);
  }
  return { ...scope, ctes };
}

function withAliases(node: Node, scope: Scope): Scope {
  const from = children(child(node, "from"), "expressions");
  if (from.length === 0) return scope;
  const aliases = new Set<string>();
  for (const one of [...from, ...children(node, "joins").map((join) => child(join, "this"))]) {
    const reference = tableReference(child(one, "table"));
    // A table without an alias can only be meant by a name of one part.
    const alias = reference?.alias ?? (reference?.parts.length === 1 ? reference.parts[0] : undefined);
    if (alias) aliases.add(alias.toLowerCase());
  }
  return { ...scope, aliases };
}
