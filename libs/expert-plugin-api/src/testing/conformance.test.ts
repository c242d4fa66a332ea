import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type ActionContext, action, defineExpert } from "../index.ts";
import { conformanceCases, type Sample } from "./conformance.ts";

const tables = { "mem://t.parquet": { columns: { id: { type: "BIGINT", values: [1, 2, 3] } } } };
const samples: Sample[] = [{ action: "look", input: { dataset: "mem://t.parquet" }, options: { tables } }];
let calls = 0;

/** An expert that is in order, but for what the work does. */
function expertThat(work: (ctx: ActionContext, dataset: string) => Promise<void> | void) {
  return defineExpert({
    name: "FaultyExpert",
    version: "1.0.0",
    description: "Looks.",
    actions: {
      look: action({
        capability: "looking",
        input: z.object({ dataset: z.string().min(1) }),
        output: z.object({ ok: z.boolean() }),
        async execute({ dataset }, ctx) {
          ctx.summary("looked");
          await work(ctx, dataset);
          return { ok: true };
        },
      }),
    },
  });
}

/** Names of the cases in which an expert fails. */
async function failuresOf(expert: ReturnType<typeof expertThat>, given = samples): Promise<string[]> {
  const failures: string[] = [];
  for (const { name, run } of conformanceCases(expert, given)) {
    await run().catch(() => failures.push(name));
  }
  return failures;
}

const rows = async ({ datasets }: ActionContext, dataset: string) => (await datasets.open(dataset)).profile();

describe("the conformance kit", () => {
  test("asks at least sixty different things of an expert with one action, each by a name of its own", () => {
    const names = conformanceCases(
      expertThat(() => undefined),
      samples,
    ).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(60);
  });

  test("lets an expert pass that is in order", async () => {
    expect(await failuresOf(expertThat(async (ctx, dataset) => void (await rows(ctx, dataset))))).toEqual([]);
  });

  const evidence = [{ label: "rows", text: "3" }];
  const finding = {
    rule: "faulty.rows",
    severity: "ok",
    subject: { kind: "dataset", name: "t" },
    reason: "So.",
  } as const;
  test.each<[string, string, Parameters<typeof expertThat>[0]]>([
    ["answers otherwise each time", "look: the same input gives an equal answer", (ctx) => ctx.summary(`${calls++}`)],
    ["says nothing", "look: ends with a result and says a summary", (ctx) => ctx.summary("")],
    ["writes a novel", "look: the summary is one line of at most 300 characters", (ctx) => ctx.summary("a\nb")],
    [
      "names its rules as it likes",
      "look: every finding has rule, severity, subject, reason, evidence and confidence",
      (ctx) => ctx.finding({ ...finding, rule: "Rows!", evidence }),
    ],
    [
      "finds something in nothing",
      "look: every finding has rule, severity, subject, reason, evidence and confidence",
      (ctx) => ctx.finding({ ...finding, evidence: [{ label: "", text: "" }] }),
    ],
    [
      "shares a value twice",
      "look: shared values have names of 1 to 256 characters, each once",
      (ctx) => {
        ctx.context.set("a", 1);
        ctx.context.set("a", 2);
      },
    ],
    [
      "depends on who asks",
      "look: another run, task and attempt get an equal answer",
      (ctx) => ctx.summary(ctx.taskId),
    ],
    [
      "falls over a column that has no rows",
      "look: takes or refuses a dataset with no rows",
      async (ctx, dataset) => {
        if ((await rows(ctx, dataset)).rowCount === 0n) throw new TypeError("no rows");
      },
    ],
    [
      "falls over a hostile text",
      "look: takes or refuses texts that are SQL",
      (_, dataset) => {
        if (dataset.includes("DROP")) throw new Error("syntax");
      },
    ],
    [
      "hides why the host refused",
      "look: passes on that the host refuses data with POLICY_DENIED",
      (ctx, dataset) =>
        rows(ctx, dataset).then(
          () => undefined,
          () => {
            throw new Error("no data");
          },
        ),
    ],
    [
      "goes on asking after its end",
      "look: asks nothing of the host after its end",
      (ctx, dataset) => void sleep(10).then(() => ctx.datasets.open(dataset).catch(() => undefined)),
    ],
  ])("catches an expert that %s", { timeout: 60_000 }, async (_, name, work) => {
    expect(await failuresOf(expertThat(work))).toContain(name);
  });

  test("misses a sample for an action", async () => {
    expect(
      await failuresOf(
        expertThat(() => undefined),
        [],
      ),
    ).toContain("every action has a sample");
  });
});
