import type { JsonValue } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { IssueList, Position } from "./issue.ts";
import { MAX_DEPTH } from "./json-issues.ts";
import type { Path } from "./path.ts";
import type { SourceText } from "./source-text.ts";

/** Most times that aliases of a document may be expanded. */
const MAX_ALIASES = 100;

/** Syntax errors that are reported of one document. */
const MAX_FAULTS = 10;

const TOO_DEEP = `Nested deeper than ${MAX_DEPTH} levels.`;

/** Reads YAML 1.2 (core schema, so JSON's types only). Answers undefined, and reports why, where the text is none. */
export function readYaml(text: string, issues: IssueList): SourceText | undefined {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      resolveKnownTags: false,
      version: "1.2",
    });
    const faults = [...document.errors, ...document.warnings];
    const tooDeep = faults.find(({ code }) => code === "RESOURCE_EXHAUSTION");
    if (tooDeep !== undefined) issues.add("", Reason.TOO_DEEP, TOO_DEEP, at(tooDeep.pos[0]));
    // One mistake breeds many: the first few are told.
    else
      for (const { code, pos } of faults.slice(0, MAX_FAULTS))
        issues.add("", Reason.MALFORMED_JSON, messageOf(code), at(pos[0]));
    if (issues.issues.length > 0) return undefined;
    return {
      json: document.toJS({ maxAliasCount: MAX_ALIASES }) as JsonValue,
      locate: (path) => locate(document, path, at),
    };
  } catch (error) {
    report(error, issues);
    return undefined;
  }
}

function report(error: unknown, issues: IssueList): void {
  if (error instanceof RangeError) {
    issues.add("", Reason.TOO_DEEP, TOO_DEEP);
  } else if (error instanceof ReferenceError) {
    issues.add("", Reason.MALFORMED_JSON, `Aliases are expanded more than ${MAX_ALIASES} times, or point nowhere.`);
  } else {
    throw error;
  }
}

// The library's own messages may quote the text; its codes do not.
function messageOf(code: string): string {
  if (code === "DUPLICATE_KEY") return "The key stands here twice.";
  return `The text is not the YAML it should be here: ${code.toLowerCase().replaceAll("_", " ")}.`;
}

function locate(document: Document.Parsed, path: Path, at: (offset: number) => Position): Position | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isSeq(node)) {
      node = typeof step === "number" ? node.items[step] : undefined;
      offset = startOf(node) ?? offset;
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      node = pair?.value;
      offset = startOf(pair?.key) ?? offset;
    } else break;
  }
  return at(offset);
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
