/** Checks the Markdown files: links lead somewhere, and what a fenced block shows is well formed. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { parseWorkflow, plan } from "@odg/workflow";
import { parseSync } from "rolldown/utils";
import { parseAllDocuments } from "yaml";
import { type Block, type Document, readDocument } from "./documents.ts";
import { runCommand } from "./run-command.ts";
import { sourceFiles } from "./source-files.ts";

type BlockCheck = (text: string, root: string) => string | undefined | Promise<string | undefined>;

/** What is checked of a block, by its language. */
const BLOCK_CHECKS: Record<string, BlockCheck> = {
  json: (text) => jsonFault(text) ?? workflowFault(text),
  yaml: (text) => yamlFault(text) ?? workflowFault(text),
  sh: shellFault,
  bash: shellFault,
  ts: codeFault,
};

const ELSEWHERE = /^[a-z][a-z0-9+.-]*:/i;
const WORKFLOW = /^\s*"?workflow_id"?\s*:/m;
const NPM_SCRIPT = /\bnpm run (?:-{1,2}[\w-]+ )*([\w:-]+)/g;

/** The faults of the Markdown files of a repository, each as `file:line: why`. */
export async function documentFaults(root: string): Promise<string[]> {
  const paths = sourceFiles(root).filter((path) => path.endsWith(".md") && !path.startsWith("third_party/"));
  const documents = new Map(paths.map((path) => [path, readDocument(readFileSync(join(root, path), "utf8"))]));
  const faults: string[] = [];
  for (const [path, document] of documents) {
    for (const { target, line } of document.links) {
      const fault = linkFault(root, { from: path, target }, documents);
      if (fault) faults.push(`${path}:${line}: ${fault}`);
    }
    for (const block of document.blocks) {
      const fault = await blockFault(block, root);
      if (fault) faults.push(`${path}:${block.line}: ${fault}`);
    }
  }
  return faults;
}

function linkFault(
  root: string,
  { from, target }: { from: string; target: string },
  documents: ReadonlyMap<string, Document>,
): string | undefined {
  if (ELSEWHERE.test(target) || target.startsWith("//")) return undefined;
  const [file = "", anchor] = target.split("#").map(decodeURIComponent);
  const path = file === "" ? from : posix.normalize(posix.join(posix.dirname(from), file));
  if (file.startsWith("/") || path.startsWith("..")) return `link "${target}" leaves the repository`;
  if (!existsSync(join(root, path))) return `link "${target}": ${path} does not exist`;
  const document = documents.get(path);
  if (anchor && document && !document.anchors.has(anchor)) return `link "${target}": ${path} has no such heading`;
  return undefined;
}

async function blockFault({ language, text }: Block, root: string): Promise<string | undefined> {
  const fault = await BLOCK_CHECKS[language]?.(text, root);
  return fault && `${language} block: ${fault}`;
}

function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function yamlFault(text: string): string | undefined {
  return parseAllDocuments(text).flatMap((document) => document.errors)[0]?.message;
}

/** A workflow that a reader copies has to be one that the engine takes. */
function workflowFault(text: string): string | undefined {
  if (!WORKFLOW.test(text)) return undefined;
  const parsed = parseWorkflow(text);
  const { issues } = parsed.workflow ? plan(parsed.workflow) : parsed;
  return issues?.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
}

async function shellFault(text: string, root: string): Promise<string | undefined> {
  const { code, output } = await runCommand("bash", ["-n", "-c", text]);
  if (code !== 0) return output.trim();
  const { scripts = {} } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts?: Record<string, string>;
  };
  const unknown = [...text.matchAll(NPM_SCRIPT)]
    .map(([, name = ""]) => name)
    .find((name) => !Object.hasOwn(scripts, name));
  return unknown && `"npm run ${unknown}": the root has no such script`;
}

function codeFault(text: string): string | undefined {
  return parseSync("block.ts", text, { sourceType: "module" }).errors[0]?.message;
}

async function main(): Promise<number> {
  const faults = await documentFaults(resolve(import.meta.dirname, ".."));
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
