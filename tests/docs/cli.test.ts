import { describe, expect, test } from "vitest";
import { documentText, odg } from "./blocks.ts";

const PAGE = documentText("docs/reference/cli.md");
const FLAG = /`(--[a-z-]+)(?: <[^>]*>)?`/g;

/** The text under a heading, up to the next one of any level. */
function section(heading: string): string {
  const start = PAGE.indexOf(`\n${heading}\n`);
  expect(start, `the page has the heading ${heading}`).toBeGreaterThan(-1);
  return PAGE.slice(start + heading.length + 2).split(/^#{2,3} /m)[0] ?? "";
}

/** First column of the tables in a text. */
function firstColumn(text: string): string[] {
  return [...text.matchAll(/^\| (.+?) \|/gm)].map(([, cell = ""]) => cell).slice(1);
}

function flagsIn(heading: string): string[] {
  return firstColumn(section(heading)).flatMap((cell) => [...cell.matchAll(FLAG)].map(([, flag = ""]) => flag));
}

async function help(...verb: string[]): Promise<string> {
  const { code, stdout } = await odg([...verb, "--help"]);
  expect(code).toBe(0);
  return stdout;
}

function offered(text: string): string[] {
  return [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)]
    .map(([, flag = ""]) => flag)
    .filter((one) => one !== "--help");
}

const VERBS = [...PAGE.matchAll(/^### `odg (.+)`$/gm)]
  .map(([, verb = ""]) => verb)
  .filter((verb) => !verb.startsWith("expert ") || verb === "expert list");

describe("docs/reference/cli.md", () => {
  test.each(VERBS)("has exactly the flags of odg %s", async (verb) => {
    const words = verb.split(" ").filter((word) => !/^[<[]/.test(word));
    const documented = [...flagsIn("### Flags of every verb"), ...flagsIn(`### \`odg ${verb}\``)];
    expect(documented.toSorted()).toEqual(offered(await help(...words)).toSorted());
  });

  test.each(["new <folder>", "test [subject]"])("has exactly the flags of odg expert %s", async (verb) => {
    const documented = flagsIn(`### \`odg expert ${verb}\``);
    expect(documented.toSorted()).toEqual(offered(await help("expert", verb.split(" ")[0] ?? "")).toSorted());
  });

  test("has every verb", async () => {
    const text = await help();
    const names = [...text.matchAll(/^ {2}([a-z]+)(?: [[<]| {2,})/gm)].map(([, name]) => name);
    const documented = new Set(firstColumn(section("## Verbs")).map((cell) => /odg (\w+)/.exec(cell)?.[1]));
    expect(names.filter((name) => name !== "help").toSorted()).toEqual([...documented].toSorted());
    expect(VERBS).toContain("schedule create <id>");
  });

  test("has every exit code", () => {
    const table = documentText("apps/cli/src/exit-code.ts").split("} as const")[0] ?? "";
    const codes = [...table.matchAll(/^ {2}\w+: (\d+),/gm)].map(([, code]) => code);
    expect(firstColumn(section("## Exit codes"))).toEqual(codes);
  });

  test("has every environment variable of the engine and of odg", () => {
    const sources = ["apps/engine/src/config.ts", "apps/cli/src/config.ts"].map(documentText).join("\n");
    const read = new Set(sources.match(/\bODG_[A-Z_]+\b/g));
    const documented = new Set(
      firstColumn(section("## Environment")).flatMap((cell) => cell.match(/ODG_[A-Z_]+/g) ?? []),
    );
    expect([...documented].sort()).toEqual([...read].sort());
  });

  test("exits as it says: 2 for a wrong command line, 3 for a missing file, 5 for a workflow that is not valid", async () => {
    const codes = await Promise.all([
      odg(["run"]),
      odg(["validate", "no-such-file.yaml"]),
      odg(["validate", "package.json"]),
      odg(["validate", "workflows/onboard_dataset.json"]),
    ]);
    expect(codes.map(({ code }) => code)).toEqual([2, 3, 5, 0]);
  });
});
