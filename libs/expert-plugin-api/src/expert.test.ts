import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { action, defineExpert } from "./index.ts";
import { rowCounter } from "./testing/example-expert.ts";
import { conformanceCases, executeRequest, expertClient, type MemoryTable, runAction } from "./testing/index.ts";

const table: MemoryTable = { columns: { a: { type: "BIGINT", values: Array.from({ length: 2500 }, (_, i) => i) } } };
const options = { tables: { "mem://numbers.parquet": table } };
const input = { dataset: "mem://numbers.parquet" };

describe("an expert", () => {
  for (const one of conformanceCases(rowCounter, [{ action: "count_rows", input, options }])) test(one.name, one.run);

  test("reads a dataset by profile, by batches and in a worker", async () => {
    const outcome = await runAction(rowCounter, "count_rows", input, options);
    expect(outcome.output).toEqual({ rows: 2500, read: 2500, offloaded: 2500 });
    expect(outcome.summary).toBe("2500 rows");
    expect(outcome.findings[0]?.evidence[0]?.value).toBe(2500);
  });

  test("shares what it writes only with its result", async () => {
    const outcome = await runAction(rowCounter, "count_rows", { ...input, share: true }, options);
    expect(outcome.contextWrites).toEqual({ rows: 2500 });
  });

  test("is refused what does not exist with the reason the host gave", async () => {
    const error = await runAction(rowCounter, "count_rows", { dataset: "mem://nowhere" }, options).catch(
      (e: unknown) => e,
    );
    expect(reasonOf(error)).toBe(Reason.NOT_FOUND);
  });

  test("names every field of an input that does not satisfy the schema", async () => {
    const error = await runAction(rowCounter, "count_rows", { dataset: "", share: 3 }, options).catch(
      (e: unknown) => e,
    );
    expect(reasonOf(error)).toBe(Reason.INPUT_INVALID);
    expect((error as ConnectError).message).toMatch(/dataset[\s\S]*share|share[\s\S]*dataset/);
  });

  test("stops its work when the reader leaves", async () => {
    let aborted: Promise<void> | undefined;
    const slow = defineExpert({
      name: "SlowExpert",
      version: "1.0.0",
      actions: {
        wait: action({
          capability: "waiting",
          input: z.object({}),
          output: z.object({}),
          execute: (_, ctx) => {
            ctx.progress(0.1, "waiting");
            aborted = new Promise((resolve) => ctx.signal.addEventListener("abort", () => resolve()));
            return aborted.then(() => ({}));
          },
        }),
      },
    });
    const reader = new AbortController();
    const reading = async () => {
      const messages = expertClient(slow).execute(executeRequest("wait", {}), { signal: reader.signal });
      for await (const _ of messages) reader.abort();
    };
    await expect(reading()).rejects.toMatchObject({ code: Code.Canceled });
    await aborted;
  });

  test("answers OUTPUT_INVALID where its answer breaks its own schema", async () => {
    const wrong = defineExpert({
      name: "WrongExpert",
      version: "1.0.0",
      actions: {
        lie: action({
          capability: "lying",
          input: z.object({}),
          output: z.object({ n: z.number() }),
          execute: async () => ({ n: "1" as unknown as number }),
        }),
      },
    });
    const error = await runAction(wrong, "lie", {}).catch((e: unknown) => e);
    expect(reasonOf(error)).toBe(Reason.OUTPUT_INVALID);
  });

  test("without a model or a knowledge base is told so", async () => {
    const asking = defineExpert({
      name: "AskingExpert",
      version: "1.0.0",
      actions: {
        ask: action({
          capability: "asking",
          input: z.object({}),
          output: z.any(),
          execute: (_, ctx) => ctx.model.generate("why?"),
        }),
        search: action({
          capability: "asking",
          input: z.object({}),
          output: z.any(),
          execute: (_, ctx) => ctx.knowledge.search("why?"),
        }),
      },
    });
    const ask = await runAction(asking, "ask", {}).catch((e: unknown) => e);
    const search = await runAction(asking, "search", {}).catch((e: unknown) => e);
    expect([reasonOf(ask), reasonOf(search)]).toEqual([Reason.MODEL_NOT_CONFIGURED, Reason.KNOWLEDGE_NOT_CONFIGURED]);
    expect(ConnectError.from(ask).code).toBe(Code.FailedPrecondition);
  });
});

describe("defineExpert", () => {
  const one = action({ capability: "c", input: z.object({}), output: z.object({}), execute: async () => ({}) });
  test.each([
    ["a lower-case name", { name: "schema", version: "1.0.0", actions: { one } }, /name "schema"/],
    ["a version that is none", { name: "Schema", version: "1.0", actions: { one } }, /version "1.0"/],
    ["no action", { name: "Schema", version: "1.0.0", actions: {} }, /at least one action/],
    ["an action in camelCase", { name: "Schema", version: "1.0.0", actions: { doIt: one } }, /action "doIt"/],
  ])("refuses %s", (_, definition, complaint) => {
    expect(() => defineExpert(definition)).toThrow(complaint);
  });
});
