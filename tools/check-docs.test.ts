import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { documentFaults } from "./check-docs.ts";

async function faultsOf(files: Record<string, string>): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), "odg-docs-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const all = { "package.json": '{"scripts": {"verify": "true"}}', ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return documentFaults(root);
}

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;
const workflow = (dependency: string): string =>
  JSON.stringify({
    workflow_id: "w",
    tasks: [
      { id: "a", action: "look" },
      { id: "b", action: "look", depends_on: [dependency] },
    ],
  }).replace("{", "{\n");

describe("the links of a document", () => {
  it("may lead to files, folders, headings and other sites", async () => {
    const text = "# Some `Head`ing!\n[a](docs/b.md#two-words) [b](docs) [c](#some-heading) [d](https://example.com/x)";
    expect(await faultsOf({ "README.md": text, "docs/b.md": "## Two words" })).toEqual([]);
  });

  it("may not lead to what does not exist, with the line of each", async () => {
    const text = "\n[a](docs/c.md)\n\n| t |\n|---|\n| [b](docs/b.md#three) |\n\n[ref]\n\n[ref]: gone.png\n";
    expect(await faultsOf({ "README.md": text, "docs/b.md": "## Two words" })).toEqual([
      'README.md:2: link "docs/c.md": docs/c.md does not exist',
      'README.md:6: link "docs/b.md#three": docs/b.md has no such heading',
      'README.md:10: link "gone.png": gone.png does not exist',
    ]);
  });

  it("may not leave the repository", async () => {
    const [fault] = await faultsOf({ "docs/b.md": "[a](../../x.md)" });
    expect(fault).toContain("leaves the repository");
  });
});

describe("the fenced blocks of a document", () => {
  it.each([
    ["json", '{"a": 1,}'],
    ["yaml", "a: [1"],
    ["sh", "if true; then"],
    ["sh", "npm run nothing"],
    ["ts", "const = 1"],
  ])("finds what is wrong in %s: %s", async (language, text) => {
    const [fault] = await faultsOf({ "README.md": `Text\n\n${fenced(language, text)}` });
    expect(fault).toContain(`README.md:3: ${language} block: `);
  });

  it("accepts what is well formed, and languages it does not know", async () => {
    const blocks = [
      fenced("json", '{"a": 1}'),
      fenced("yaml", "a: 1"),
      fenced("sh", "npm ci && npm run verify"),
      fenced("ts", "const a: number = 1;"),
      fenced("text", "{"),
      fenced("json", workflow("a")),
    ];
    expect(await faultsOf({ "README.md": blocks.join("\n") })).toEqual([]);
  });

  it("plans every workflow that it shows", async () => {
    const [fault] = await faultsOf({ "README.md": fenced("json", workflow("c")) });
    expect(fault).toContain("tasks[1].depends_on[0]");
  });
});
