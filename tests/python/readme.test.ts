import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toolPath } from "../../tools/services/endpoints.ts";
import { freePort } from "../../tools/services/ports.ts";
import { blocksOf, runHere } from "../docs/blocks.ts";
import { type PythonExample, preparedExample, startPython } from "./python-expert.ts";

const python = toolPath("python");
const README = "examples/python-expert/README.md";
const TOKEN = "a token of the test";

describe.skipIf(!python)("the README of the Python expert", () => {
  let folder: string;
  let example: PythonExample;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "odg-readme-"));
    await writeFile(join(folder, "orders.csv"), "id,city\n1,Porto\n2,porto\n3,Braga\n");
    example = await preparedExample(python ?? "");
  });
  afterAll(async () => {
    await example?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  test("starts the expert as these tests do", () => {
    const [start] = blocksOf(README, "sh");
    // Installing is what `npm run services -- install python` did; the last two lines are those of python-expert.ts.
    expect(start?.text.split("\n")).toEqual([
      "cd examples/python-expert",
      "python3 -m venv .venv",
      ".venv/bin/pip install -r requirements.txt",
      ".venv/bin/python generate.py",
      ".venv/bin/python main.py --host http://127.0.0.1:50052",
    ]);
  });

  test("lists the expert and runs a workflow with it, by the command", async () => {
    const port = await freePort();
    const server = await startPython(python ?? "", example.folder, { host: `http://127.0.0.1:${port}`, token: TOKEN });
    const [, use] = blocksOf(README, "sh");
    const script = (use?.text ?? "")
      .replaceAll("127.0.0.1:50061", server.address)
      .replaceAll("data/orders.csv", join(folder, "orders.csv"));
    const env = { ODG_STORE_DIR: join(folder, ".odg"), ODG_HOST_PORT: String(port), ODG_REMOTE_TOKEN: TOKEN };
    try {
      const { code, stdout, stderr } = await runHere("bash", ["-ec", script], env);
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/TextStatsExpert.*remote/);
      expect(stdout).toContain("2 of 3 texts");
    } finally {
      await server.stop();
    }
  });
});
