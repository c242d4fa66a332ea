import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { action, defineExpert } from "@odg/expert-plugin-api";
import pg from "pg";
import * as z from "zod";

const beside = (file: string): unknown => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
const { version } = z.object({ version: z.string() }).parse(beside("./package.json"));
// Written by the test beside this copy of the expert: a process of its own sees nothing of the engine's environment.
const { url, slots } = z.object({ url: z.string(), slots: z.number() }).parse(beside("./sink.json"));
const sink = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 30_000 });
// A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
sink.on("error", () => undefined);

export default defineExpert({
  name: "EffectExpert",
  version,
  maxConcurrentTasks: slots,
  actions: {
    idle: action({
      capability: "idling",
      description: "Waits, and has no effect.",
      input: z.object({ ms: z.number().default(0) }),
      output: z.object({ version: z.string() }),
      async execute({ ms }, { signal }) {
        if (ms > 0) await sleep(ms, undefined, { signal });
        return { version };
      },
    }),
    effect: action({
      capability: "having_effects",
      description: "Waits, has its effect, waits again; fails as often as it is told to, after the effect.",
      input: z.object({
        beforeMs: z.number().default(0),
        afterMs: z.number().default(0),
        failTimes: z.number().default(0),
        share: z.string().optional(),
        // What an item of a list, or a larger answer, brings along.
        item: z.json().optional(),
        padding: z.number().default(0),
      }),
      output: z.object({ key: z.string(), version: z.string(), padding: z.string() }),
      async execute({ beforeMs, afterMs, failTimes, share, padding }, ctx) {
        await sleep(beforeMs, undefined, { signal: ctx.signal });
        await sink.query("insert into effects (key, run_id, task_id, attempt, pid) values ($1, $2, $3, $4, $5)", [
          ctx.idempotencyKey,
          ctx.runId,
          ctx.taskId,
          ctx.attempt,
          process.pid,
        ]);
        await sleep(afterMs, undefined, { signal: ctx.signal });
        if (ctx.attempt <= failTimes) throw new Error("told to fail");
        if (share) ctx.context.set(share, ctx.taskId);
        return { key: ctx.idempotencyKey, version, padding: "x".repeat(padding) };
      },
    }),
  },
});
