import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blocksOf, folderOfTest, fromRoot, namedFiles, runHere } from "./blocks.ts";

const GUIDE = "docs/guides/place-experts.md";
const EXPERT = "docs/guides/write-an-expert.md";
const PLUGIN = "plugins/expert-duplicates";

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(typeof address === "object" ? address?.port : "");
}

function shellBlock(words: string): string {
  const shown = blocksOf(GUIDE, "sh").find(({ text }) => text.includes(words))?.text ?? "";
  expect(shown).not.toBe("");
  return shown.replaceAll(/^npx /gm, "");
}

test("the experts of the guide run in processes", { timeout: 120_000 }, async () => {
  const folder = folderOfTest({});
  const { stdout, stderr } = await runHere("bash", ["-ec", shellBlock("expert list")], {
    ODG_STORE_DIR: join(folder, ".odg"),
  });
  expect(stdout, stderr).toMatch(/SchemaExpert[\s\S]*process/);
});

test("the expert of the guide is served and used at its address", { timeout: 120_000 }, async () => {
  const [port, hostPort] = [await freePort(), await freePort()];
  const files = { ...namedFiles(EXPERT), ...namedFiles(GUIDE) };
  const served = files["src/serve.ts"] ?? "";
  expect(served).toContain("50061");
  const folder = folderOfTest({ ...files, "src/serve.ts": served.replace("50061", port) });
  const script = shellBlock("serve.ts").replaceAll(PLUGIN, fromRoot(folder)).replaceAll("50061", port);
  const { stdout, stderr } = await runHere(
    "bash",
    ["-c", `set -em\ntrap 'kill %1 2>/dev/null || true' EXIT\n${script}`],
    {
      ODG_STORE_DIR: join(folder, ".odg"),
      ODG_HOST_PORT: hostPort,
      ODG_HOST_URL: `http://127.0.0.1:${hostPort}`,
    },
  );
  expect(stdout, stderr).toContain("id: 2 of 4 rows repeated");
});
