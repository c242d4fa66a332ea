/** A node of the parser's tree: plain data, whose kinds are keys (`{ select: { … } }`). */
export type Node = Record<string, unknown>;

/** The node itself where it is one. */
export function asNode(value: unknown): Node | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Node) : undefined;
}

/** The child under a key, or down a path of keys. */
export function child(node: Node | undefined, ...path: string[]): Node | undefined {
  return path.reduce<Node | undefined>((at, key) => asNode(at?.[key]), node);
}

/** The nodes of a list under a key. */
export function children(node: Node | undefined, key: string): Node[] {
  const list = node?.[key];
  return Array.isArray(list) ? nodesOf(list) : [];
}

/** What of a list is a node. */
export function nodesOf(list: unknown[]): Node[] {
  return list.map(asNode).filter((one) => one !== undefined);
}

/** The text under a key. */
export function text(node: Node | undefined, key: string): string | undefined {
  const value = node?.[key];
  return typeof value === "string" ? value : undefined;
}

/** Kind and body of an expression: `{ select: body }` is `["select", body]`. */
export function kindOf(node: Node | undefined): [string, Node] | undefined {
  for (const [kind, body] of Object.entries(node ?? {})) {
    const inner = asNode(body);
    if (inner) return [kind, inner];
  }
  return undefined;
}

/** A table reference as written. */
export interface TableReference {
  /** Parts of the name, outermost first, without quotes. */
  parts: string[];
  alias?: string;
  /** Offset in the text, in Unicode characters; left out where the parser does not tell. */
  offset?: number;
  /** The word to look for in the text where there is no offset. */
  word?: string;
}

const FILE_FORMATS = new Set(["parquet", "csv", "json", "orc", "avro", "text", "delta", "binaryfile"]);

/** The table reference that a node holds; a column's qualifier is none. */
export function tableReference(node: Node | undefined): TableReference | undefined {
  const last = text(child(node, "name"), "name");
  if (!node || last === undefined || last === "") return undefined;
  const qualifiers = ["catalog", "schema"].flatMap((key) => text(child(node, key), "name") ?? []);
  const first = child(node, "catalog") ?? child(node, "schema") ?? child(node, "name");
  const offset = child(first, "span")?.start;
  // Spark reads a file by naming its format as the schema.
  const isFile = last.includes("/") && qualifiers.length === 1 && FILE_FORMATS.has(qualifiers[0]?.toLowerCase() ?? "");
  return {
    parts: isFile ? [last] : [...qualifiers, last],
    alias: text(child(node, "alias"), "name"),
    ...(typeof offset === "number" ? { offset } : { word: text(node, "word") ?? last }),
  };
}

/** The table of a statement's target, through the alias that may wrap it. */
export function targetReference(expression: Node | undefined): TableReference | undefined {
  const alias = child(expression, "alias");
  if (alias && child(alias, "this")) {
    const inner = targetReference(child(alias, "this"));
    return inner && { ...inner, alias: text(child(alias, "alias"), "name") ?? inner.alias };
  }
  return tableReference(child(expression, "table") ?? expression);
}
