/** Looks for what must not stand in the tree: addresses of registries, paths of one machine, notes to self, vague names. */
import { readFileSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { sourceFiles } from "./source-files.ts";

interface WordRule {
  readonly pattern: RegExp;
  readonly why: string;
  /** Whether the rule holds in this file. */
  readonly applies: (path: string) => boolean;
}

const TEXT = new Set(["", ".ts", ".tsx", ".js", ".mjs", ".json", ".md", ".yaml", ".yml", ".toml", ".proto", ".sql"]);
/** Copies of what others wrote, which stay as they are. */
const OTHERS = /^third_party\/|\/testdata\/|^LICENSE$/;
const isCode = (path: string): boolean => /\.tsx?$/.test(path);
const everywhere = (): boolean => true;

// Written so that no pattern matches its own source.
const RULES: readonly WordRule[] = [
  {
    pattern:
      /registry\.(npmjs|yarnpkg|npmmirror)\b|pypi\.(org)\b|static\.(crates)\b|proxy\.(golang)\b|repo1?\.(maven)\b/i,
    why: "names the host of a package registry; leave it to the reader's own configuration",
    applies: everywhere,
  },
  {
    pattern: /(?<![\w.])\/(?:work\/(?:main|shared)|root\/|tmp\/(?:brief|bash_jobs))/,
    why: "is a path of one machine; use one relative to the repository",
    applies: everywhere,
  },
  {
    pattern: /\b(?:TO(?:)DO|FIX(?:)ME)\b/,
    why: "is a note to self; do it, or open an issue",
    applies: isCode,
  },
  {
    pattern: /\b(?:class|interface|type|function)\s+\w*(?:Manager|Helper|Util|Utils|Base|Impl|Common)\b/,
    why: "is a name that says nothing; use a noun of ARCHITECTURE.md",
    applies: isCode,
  },
];

const VAGUE_FILE = /(?:^|[-.])(?:manager|helpers?|utils?|base|impl|common)\.tsx?$/;

/** The faults of one file, each as `path:line: why`. */
export function wordFaults(path: string, text: string): string[] {
  const rules = RULES.filter((rule) => rule.applies(path));
  const faults = text.split("\n").flatMap((line, index) =>
    rules.flatMap(({ pattern, why }) => {
      const word = pattern.exec(line)?.[0];
      return word === undefined ? [] : [`${path}:${index + 1}: "${word}" ${why}`];
    }),
  );
  if (VAGUE_FILE.test(basename(path))) faults.unshift(`${path}:1: the file's name says nothing; name what it does`);
  return faults;
}

function main(): number {
  const root = resolve(import.meta.dirname, "..");
  const paths = sourceFiles(root).filter((path) => TEXT.has(extname(path)) && !OTHERS.test(path));
  const faults = paths.flatMap((path) => wordFaults(path, readFileSync(join(root, path), "utf8")));
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main();
