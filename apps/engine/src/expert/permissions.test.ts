import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { describe, expect, onTestFinished, test } from "vitest";
import { writeCurious } from "../testing/curious.ts";
import { startEngine, workflowOf } from "../testing/engine-under-test.ts";

const folder = mkdtempSync(join(tmpdir(), "odg-permissions-"));
const dataset = join(folder, "people.csv");
writeFileSync(dataset, "id,city\n1,Lisbon\n2,Porto\n");

/** Runs one question of an expert with these permissions; answers the reason and the message, or undefined where it got an answer. */
async function ask(what: string, permissions?: object, placement = "") {
  const plugin = writeCurious(permissions);
  const engine = await startEngine({ experts: [`${placement}${plugin}`], dataRoots: [folder] });
  onTestFinished(() => engine.close());
  const task = { id: "ask", expert: "CuriousExpert", action: "ask", inputs: { dataset, what } };
  const { run } = await engine.run({ source: { case: "workflow", value: workflowOf([task]) } });
  return run.tasks[0]?.failure;
}

const COMPLIANCE = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../../../plugins/expert-compliance/package.json"), "utf8"),
).odg.permissions as object;

describe("an expert is granted what its package asks for", () => {
  test.each(["open", "profile", "read", "offloadRead"])(
    "and nothing of datasets where it asks for nothing: %s",
    async (what) => {
      expect(await ask(what)).toMatchObject({ reason: Reason.POLICY_DENIED, subject: "odg.permissions" });
    },
  );

  test.each(["open", "documents", "siblings", "offload"])(
    "with the compliance expert's permissions it may %s",
    async (what) => {
      expect(await ask(what, COMPLIANCE)).toBeUndefined();
    },
  );

  test.each(["profile", "read", "offloadRead", "offloadDistinct"])(
    "with the compliance expert's permissions it may not %s",
    async (what) => {
      const failure = await ask(what, COMPLIANCE);
      expect(failure).toMatchObject({ reason: Reason.POLICY_DENIED, retryable: false });
      expect(failure?.message).toContain('"datasets": "read"');
    },
  );

  test.each(["read", "offloadRead"])("in a process of its own as in the engine's: %s", async (what) => {
    expect(await ask(what, { datasets: "metadata" }, "process:")).toMatchObject({ reason: Reason.POLICY_DENIED });
  });

  test.each(["profile", "read", "offloadRead", "offloadDistinct"])(
    "and rows where it asks for them: %s",
    async (what) => {
      expect(await ask(what, { datasets: "read" })).toBeUndefined();
    },
  );

  test("a model is another permission", async () => {
    expect((await ask("generate", { datasets: "read" }))?.message).toContain('"models": true');
    expect(await ask("generate", { models: true })).toMatchObject({ reason: Reason.MODEL_NOT_CONFIGURED });
  });

  test("an attempt may not take longer", async () => {
    const began = performance.now();
    expect(await ask("nap", { time_s: 1 })).toMatchObject({
      reason: Reason.DEADLINE_EXCEEDED,
      subject: "odg.permissions.time_s",
    });
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  test("a permission that nobody knows is refused at the start", async () => {
    const plugin = writeCurious({ everything: true });
    await expect(startEngine({ experts: [plugin] })).rejects.toThrow("everything");
  });
});
