import { readFileSync } from "node:fs";
import { conformanceCases, type MemoryTable, runAction } from "@odg/expert-plugin-api/testing";
import { describe, expect, test } from "vitest";
import expert from "./index.ts";

const GIB = 2 ** 30;
const table = (sizeBytes: number, contract?: MemoryTable["contract"]): MemoryTable => ({
  columns: { id: { type: "BIGINT", values: [1] } },
  sizeBytes,
  ...(contract ? { contract } : {}),
});

const run = (one: MemoryTable, uri = "lake/sales.parquet") =>
  runAction(expert, "estimate_storage_cost", { dataset: uri }, { tables: { [uri]: one } });

const PIPELINE = { runs_per_month: 30, hours_per_run: 0.5, executors: 3, executor_price_per_hour: 1 };

describe("estimate_storage_cost", () => {
  test("shows the arithmetic of storage and compute and their sum", async () => {
    const { findings, summary, contextWrites } = await run(
      table(1000 * GIB, { storage: { region: "us-east-1", class: "standard" }, pipeline: PIPELINE }),
    );
    const text = (rule: string) => findings.find(({ ruleId }) => ruleId === rule)?.evidence[0]?.text;
    expect(text("cost.storage")).toBe("1,000 GiB × $0.023/GiB-month = $23.00/month");
    expect(text("cost.compute")).toBe("30 runs × 0.5 h × 3 executors × $1/h = $45.00/month");
    expect(text("cost.total")).toBe("$23.00 storage + $45.00 compute = $68.00/month");
    expect(summary).toBe("Storage $23.00/month, compute $45.00/month: $68.00/month");
    expect(contextWrites["cost.monthly_usd"]).toEqual({ storage: 23, compute: 45, total: 68, unknown: [] });
  });

  test("keeps significant digits where the cost is below a cent", async () => {
    const { summary } = await run(table(Math.round(0.0131 * GIB), { storage: { region: "us-east-1" } }));
    expect(summary).toBe("Storage $0.0003/month, compute unknown");
  });

  test("names what the contract must say where compute is unknown, and gives no total", async () => {
    const { findings, contextWrites } = await run(table(GIB, { pipeline: { executors: 2 } }));
    const unknown = findings.find(({ ruleId }) => ruleId === "cost.compute_unknown");
    expect(unknown?.evidence[0]?.text).toBe(
      "pipeline.runs_per_month, pipeline.hours_per_run, pipeline.executor_price_per_hour",
    );
    expect(contextWrites["cost.monthly_usd"]).toMatchObject({ compute: null, total: null, unknown: ["compute"] });
  });

  test("a region or vendor without prices is unknown, never free", async () => {
    const far = await run(table(GIB, { storage: { region: "mars-north-1" } }));
    expect(far.summary).toBe("Storage unknown, compute unknown");
    const azure = await run(table(GIB), "abfss://lake/sales.parquet");
    expect(azure.contextWrites["cost.monthly_usd"]).toMatchObject({ storage: null });
  });

  test("says what it assumes where there is no contract, and trusts it less", async () => {
    const { findings } = await run(table(GIB));
    const storage = findings.find(({ ruleId }) => ruleId === "cost.storage");
    expect(storage?.reason).toContain("assumed, as the contract does not say: region us-east-1");
    expect(storage?.confidence).toBeLessThan(0.5);
  });

  test("a field of the wrong type is named and counts as missing", async () => {
    const { findings } = await run(table(GIB, { pipeline: { ...PIPELINE, executors: "many" } }));
    expect(findings.find(({ ruleId }) => ruleId === "cost.contract_field")?.reason).toContain("pipeline.executors");
    expect(findings.some(({ ruleId }) => ruleId === "cost.compute")).toBe(false);
  });

  test("advises a cheaper class with the saving, where reads and refreshes are known", async () => {
    const { findings, output } = await run(
      table(1000 * GIB, {
        storage: { region: "us-east-1", class: "standard" },
        access: { full_reads_per_month: 0.1 },
        refresh: { mode: "append" },
      }),
    );
    const advice = findings.find(({ ruleId }) => ruleId === "cost.storage_class");
    expect(advice?.reason).toBe(
      "S3 Glacier Instant Retrieval would store sales for $16.00 a month less than S3 Standard.",
    );
    expect(output).toMatchObject({ classes: [{ id: "glacier_ir" }, { id: "standard_ia" }, { id: "standard" }] });
  });

  test("a dataset of no bytes costs nothing and breaks nothing", async () => {
    expect((await run(table(0))).summary).toBe("Storage $0.00/month, compute unknown");
  });

  test("the version is the package's", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(expert.version).toBe(version);
  });
});

describe("conformance", () => {
  const tables = { "lake/sales.parquet": table(GIB, { pipeline: PIPELINE, growth_rate_monthly: 0.05 }) };
  const samples = [{ action: "estimate_storage_cost", input: { dataset: "lake/sales.parquet" }, options: { tables } }];
  for (const one of conformanceCases(expert, samples)) test(one.name, one.run);
});
