import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { type Block, readDocument } from "../../tools/documents.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

/** The text of a document of this repository. */
export function documentText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The fenced blocks of a document, in order. */
export function blocksOf(path: string, language: string): Block[] {
  return readDocument(documentText(path)).blocks.filter((block) => block.language === language);
}

/** The blocks that a line like "`src/index.ts`:" introduces, by that name. */
export function namedFiles(path: string): Record<string, string> {
  const found = documentText(path).matchAll(/^`([\w./-]+)`:\n\n```\w+\n([\s\S]*?)^```$/gm);
  return Object.fromEntries([...found].map(([, name = "", text = ""]) => [name, text]));
}

/** A folder of this repository, so that packages resolve from it; removed with the test. */
export function folderOfTest(files: Record<string, string>): string {
  const folder = writeFolder(files);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The like for several tests: whoever asks for it removes it. */
export function writeFolder(files: Record<string, string>): string {
  const parent = join(ROOT, ".cache");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "docs-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export function fromRoot(path: string): string {
  return relative(ROOT, path);
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program in the root of the repository, with the Node that runs this test. */
export function runHere(command: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((done) => {
    const path = `${join(ROOT, "node_modules/.bin")}:${dirname(process.execPath)}:${process.env.PATH}`;
    const around = { ...process.env, NO_COLOR: "1", PATH: path, ...env };
    execFile(command, args, { cwd: ROOT, env: around, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      done({ code: error ? (typeof error.code === "number" ? error.code : 1) : 0, stdout, stderr });
    });
  });
}

/** Runs the command `odg`. */
export function odg(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return runHere("odg", args, env);
}
