import { parseSync, Visitor } from "rolldown/utils";
import { NETWORK_MODULES, type Use } from "./rules.ts";

/** An import of another module: static, re-exported, dynamic with a literal, or in a type. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** Something a file does that only some files may. */
export interface UseSite {
  readonly use: Use;
  readonly line: number;
}

export interface Scan {
  readonly imports: readonly Import[];
  readonly uses: readonly UseSite[];
}

interface Node {
  readonly type: string;
  readonly start: number;
}

/**
 * Reads one TypeScript or JavaScript file.
 * @throws SyntaxError naming the file and line when it does not parse.
 */
export function scanSource(path: string, text: string): Scan {
  const { program, module, errors } = parseSync(path, text, { sourceType: "module" });
  const lineAt = lineCounter(text);
  const error = errors[0];
  if (error) throw new SyntaxError(`${path}:${lineAt(error.labels[0]?.start ?? 0)}: ${error.message}`);

  const imports: Import[] = [];
  const uses: UseSite[] = [];
  const found = (use: Use, node: { start: number }): void => {
    uses.push({ use, line: lineAt(node.start) });
  };
  const imported = (specifier: string, start: number): void => {
    imports.push({ specifier, line: lineAt(start) });
    const builtin = specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    if (NETWORK_MODULES.has(builtin)) found("network", { start });
    if (specifier.startsWith("node:")) found("node module", { start });
  };

  const errorNames = new Set<string>();
  for (const statement of module.staticImports) {
    imported(statement.moduleRequest.value, statement.start);
    for (const { importName, localName } of statement.entries) {
      if (importName.name === "ConnectError") errorNames.add(localName.value);
      if (statement.moduleRequest.value === "node:process" && importName.name === "env")
        found("environment", statement);
    }
  }
  for (const statement of module.staticExports) {
    const request = statement.entries.find((entry) => entry.moduleRequest)?.moduleRequest;
    if (request) imported(request.value, statement.start);
  }
  new Visitor({
    ImportExpression(node) {
      if (node.source.type === "Literal" && typeof node.source.value === "string")
        imported(node.source.value, node.start);
    },
    TSImportType(node) {
      imported(node.source.value, node.start);
    },
    MemberExpression(node) {
      if (isMember(node, "process", "env") || isMember(node, "Bun", "env")) found("environment", node);
      if (isMember(node, "Math", "random") || isMember(node, "crypto", "randomUUID")) found("randomness", node);
      if (isMember(node, "Date", "now") || isMember(node, "performance", "now")) found("clock", node);
      if (isMember(node, "globalThis", "fetch")) found("network", node);
    },
    VariableDeclarator(node) {
      if (node.init && isName(node.init, "process") && node.id.type === "ObjectPattern") {
        const names = node.id.properties.map((property) => property.type === "Property" && property.key);
        if (names.some((key) => key && isName(key, "env"))) found("environment", node);
      }
    },
    CallExpression(node) {
      if (isName(node.callee, "fetch")) found("network", node);
    },
    NewExpression(node) {
      if (node.callee.type === "Identifier" && errorNames.has(node.callee.name)) found("connect error", node);
      if (isName(node.callee, "Date") && node.arguments.length === 0) found("clock", node);
      if (isName(node.callee, "WebSocket") || isName(node.callee, "EventSource")) found("network", node);
    },
  }).visit(program);
  return { imports, uses };
}

function isName(node: Node, name: string): boolean {
  return node.type === "Identifier" && (node as Node & { name?: string }).name === name;
}

/** `object.property` or `object["property"]`. */
function isMember(node: { object: Node; property: Node }, object: string, property: string): boolean {
  if (!isName(node.object, object)) return false;
  const literal = node.property.type === "Literal" && (node.property as Node & { value?: unknown }).value;
  return isName(node.property, property) || literal === property;
}

/** Line numbers from 1 for offsets into a text. */
function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
