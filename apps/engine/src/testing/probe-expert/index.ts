import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";

const manifestSchema = z.object({
  version: z.string(),
  probe: z.object({ name: z.string(), capability: z.string(), maxConcurrentTasks: z.number() }),
});
const manifest = manifestSchema.parse(JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")));
const { name, capability, maxConcurrentTasks } = manifest.probe;

/** Opened by the test in the same process; the key is shared with testing/probe.ts. */
const GATES = Symbol.for("odg.test.gates");
interface Gates {
  [GATES]?: Map<string, { entered: (taskId: string) => void; opened: Promise<void> }>;
}

const anything = z.record(z.string(), z.json());

/** Each action shows one thing that an expert can do, well or badly. */
export default defineExpert({
  name,
  version: manifest.version,
  maxConcurrentTasks,
  actions: {
    echo: action({
      capability,
      input: z.looseObject({}),
      output: anything,
      execute: async (input, { attempt, idempotencyKey, upstream, context }) => ({
        input: z.json().parse(input),
        upstream: z.json().parse(upstream),
        shared: z.json().parse(await context.all()),
        attempt,
        idempotencyKey,
      }),
    }),
    hold: action({
      capability: "holding",
      input: z.object({ gate: z.string(), deaf: z.boolean().default(false) }),
      output: anything,
      async execute({ gate, deaf }, { taskId, signal }) {
        const found = (globalThis as Gates)[GATES]?.get(gate);
        if (!found) throw new Error(`there is no gate ${gate}`);
        found.entered(taskId);
        const aborted = new Promise<never>((_, refuse) => {
          if (!deaf) signal.addEventListener("abort", () => refuse(signal.reason), { once: true });
        });
        await Promise.race([found.opened, aborted]);
        return { gate };
      },
    }),
    nap: action({
      capability: "napping",
      input: z.object({ ms: z.number() }),
      output: anything,
      execute: ({ ms }, { signal }) => sleep(ms, { ms }, { signal }),
    }),
    fail: action({
      capability: "failing",
      input: z.object({ times: z.number(), message: z.string().default("not yet") }),
      output: anything,
      async execute({ times, message }, { attempt, context }) {
        context.set("tries", attempt);
        if (attempt <= times) throw new Error(message);
        return { attempt };
      },
    }),
    share: action({
      capability: "sharing",
      input: z.object({ key: z.string(), expectedVersion: z.number().optional(), afterMs: z.number().default(0) }),
      output: anything,
      async execute({ key, expectedVersion, afterMs }, { attempt, taskId, context }) {
        const seen = (await context.get(key))?.version ?? 0;
        await sleep(afterMs);
        const expected = attempt === 1 ? expectedVersion : seen;
        context.set(key, taskId, expected === undefined ? {} : { expectedVersion: expected });
        return { seen };
      },
    }),
    whereabouts: action({
      capability: "telling",
      input: z.object({}),
      output: anything,
      execute: async () => ({ pid: process.pid, environment: Object.keys(process.env).sort() }),
    }),
    break_word: action({
      capability: "breaking",
      input: z.object({}),
      output: z.object({ promised: z.string() }),
      execute: async () => ({ promised: 7 }) as unknown as { promised: string },
    }),
    blurt: action({
      capability: "blurting",
      input: z.object({ text: z.string() }),
      output: anything,
      async execute({ text }, ctx) {
        ctx.log.warn(text);
        ctx.progress(0.5, text);
        ctx.summary(text);
        ctx.context.set("said", text);
        ctx.finding({
          rule: "probe.blurt",
          severity: "info",
          subject: { kind: "dataset", name: text },
          reason: text,
          evidence: [{ label: text, text, file: text }],
        });
        return { text };
      },
    }),
  },
});
