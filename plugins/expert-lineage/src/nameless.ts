import { asNode, type Node, text } from "./syntax.ts";

/**
 * A copy of an expression that may be shown: without comments and without the text of literals, either of which may point at
 * a person. It names a column that has no name.
 */
export function shownExpression(expression: Node): Node {
  return masked(expression) as Node;
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  const node = asNode(value);
  if (!node) return value;
  const kept = Object.entries(node).map(([key, part]): [string, unknown] => [
    key,
    key.endsWith("comments") ? [] : masked(part),
  ]);
  const copy = Object.fromEntries(kept);
  const literal = text(node, "value");
  // A number of a few digits is a constant of the calculation; longer ones may be somebody's.
  const harmless = node.literal_type === "number" && /^[\d.]{1,4}$/.test(literal ?? "");
  return node.literal_type === undefined || harmless ? copy : { ...copy, literal_type: "string", value: "…" };
}
