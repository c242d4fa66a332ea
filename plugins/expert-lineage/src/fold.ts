import { asNode, child, type Node, text } from "./syntax.ts";

/**
 * A copy of a query whose names of tables, CTEs and aliases are in lower case, so that `TA.id` is seen to mean
 * `orders AS ta`: the parser's analysis compares names as written. Names of columns stay.
 */
export function foldTableNames(tree: Node): Node {
  return fold(tree, "") as Node;
}

function fold(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((one) => fold(one, key));
  const node = asNode(value);
  if (!node) return value;
  const entries = Object.entries(node).map(([name, part]): [string, unknown] => {
    const folded = fold(part, name);
    return [name, namesTable(node, { name, key }) ? lowered(folded) : folded];
  });
  return Object.fromEntries(entries);
}

/** Whether the identifier under `name` names a table, seen from the node that holds it under `key`. */
function namesTable(node: Node, { name, key }: { name: string; key: string }): boolean {
  if (name === "table") return true;
  if (name === "name") return key === "table" && text(child(node, "name"), "name") !== undefined;
  if (name !== "alias") return false;
  // `expression AS name` names a column, unless what it names is a table.
  return key !== "alias" || child(node, "this", "table") !== undefined;
}

function lowered(value: unknown): unknown {
  const identifier = asNode(value);
  const name = text(identifier, "name");
  return identifier && name !== undefined ? { ...identifier, name: name.toLowerCase() } : value;
}
