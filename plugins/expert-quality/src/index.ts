import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
import { anomalies } from "./anomalies.ts";
import { resultOf, suiteFailures } from "./failures.ts";
import { check, compoundKeys, measureColumns, observe, sharedSuite } from "./observe.ts";
import { propose } from "./propose.ts";
import { suiteFinding, suiteOf } from "./report.ts";
import { Suite } from "./suite.ts";

const Input = z.object({
  dataset: z.string().min(1),
  /** Rows that bounds, shapes and anomalies are measured on. */
  sample_rows: z.number().int().min(100).max(200_000).default(20_000),
});

const Checked = z.object({
  type: z.string(),
  column: z.string(),
  success: z.boolean(),
  elements: z.number().int(),
  missing: z.number().int(),
  unexpected: z.number().int(),
  observed: z.number().optional(),
  error: z.string().optional(),
});

/** Proposes and checks expectations in the JSON of Great Expectations, and finds anomalies. */
export default defineExpert({
  name: "QualityExpert",
  version: "0.1.0",
  description: "Proposes and checks expectations (Great Expectations 1.x), and finds anomalies.",
  model: "claude-sonnet-4.6",
  actions: {
    define_expectations: action({
      capability: "quality_validation",
      description: "Proposes a suite of expectations, each with its reason, that holds on the data; reports anomalies.",
      input: Input,
      output: z.object({
        suite: Suite,
        proposed: z.number().int(),
        dropped: z.number().int(),
        anomalies: z.number().int(),
      }),
      async execute(input, ctx) {
        const observation = await observe(ctx, input);
        ctx.progress(0.2, `profiled ${observation.profile.columns.length} columns`);
        const measured = await measureColumns(ctx, observation);
        ctx.progress(0.6, `measured ${measured.rows} rows`);
        const { columns } = observation.profile;
        const described = (await ctx.context.get("schema.columns")) !== undefined;
        const found = anomalies({
          ...observation,
          ...measured,
          table: observation.info.name,
          columns,
          sampledRows: measured.rows,
          described,
        });
        for (const finding of found) ctx.finding(finding);

        const proposed = propose({ ...observation, ...measured, columns, compoundKeys: await compoundKeys(ctx) });
        const { results } = await check(ctx, proposed, observation);
        const holding = proposed.filter((_, index) => results[index]?.success);
        ctx.progress(0.95, `${holding.length} of ${proposed.length} expectations hold`);

        const suite = suiteOf(observation, holding, measured.rows);
        ctx.finding(suiteFinding(observation.info.name, suite, { proposed: proposed.length, rows: measured.rows }));
        ctx.context.set("quality.suite", suite);
        ctx.summary(`${holding.length} expectations proposed, ${found.length} anomalies`);
        return { suite, proposed: holding.length, dropped: proposed.length - holding.length, anomalies: found.length };
      },
    }),
    check_expectations: action({
      capability: "quality_validation",
      description: "Checks a batch against a suite: the one given, or the one that an earlier task shared.",
      input: Input.extend({ suite: Suite.optional() }),
      output: z.object({
        suite: z.string(),
        success: z.boolean(),
        passed: z.number().int(),
        failed: z.number().int(),
        results: z.array(Checked),
      }),
      async execute(input, ctx) {
        const suite = input.suite ?? (await sharedSuite(ctx, input.dataset));
        const observation = await observe(ctx, input);
        ctx.progress(0.3, "profiled");
        const { results, rows } = await check(ctx, suite.expectations, observation);
        const failed = results.filter(({ success }) => !success).length;
        for (const finding of suiteFailures(observation.info.name, suite, { results, rows })) ctx.finding(finding);
        ctx.summary(`${results.length - failed} of ${results.length} expectations hold`);
        return {
          suite: suite.name,
          success: failed === 0 && results.length > 0,
          passed: results.length - failed,
          failed,
          results: results.map((result, index) => resultOf(suite.expectations[index], result)),
        };
      },
    }),
    detect_anomalies: action({
      capability: "quality_validation",
      description: "Reports missing, blank, padded, repeated, far-out and top-heavy values.",
      input: Input,
      output: z.object({
        rows: z.number().int(),
        anomalies: z.array(z.object({ rule: z.string(), subject: z.string(), reason: z.string() })),
      }),
      async execute(input, ctx) {
        const observation = await observe(ctx, input);
        ctx.progress(0.3, `profiled ${observation.profile.columns.length} columns`);
        const measured = await measureColumns(ctx, observation);
        const { columns } = observation.profile;
        const found = anomalies({
          ...observation,
          ...measured,
          table: observation.info.name,
          columns,
          sampledRows: measured.rows,
          described: false,
        });
        for (const finding of found) ctx.finding(finding);
        ctx.summary(`${found.length} anomalies in ${columns.length} columns`);
        return {
          rows: observation.rowCount,
          anomalies: found.map(({ rule, subject, reason }) => ({ rule, subject: subject.name, reason })),
        };
      },
    }),
  },
});
