import { describe, expect, test } from "vitest";
import { computeCost } from "./compute.ts";
import { regionPrices } from "./prices.ts";
import { readTerms } from "./terms.ts";

describe("readTerms", () => {
  test("takes what a contract says, wherever growth stands", () => {
    const { terms, faults } = readTerms({
      storage: { region: "eu-west-1", growth_rate_monthly: 0.1 },
      refresh: { frequency: "weekly" },
    });
    expect(faults).toEqual([]);
    expect(terms).toMatchObject({ region: "eu-west-1", growth: 0.1 });
    expect(terms.refreshesPerMonth).toBeCloseTo(4.345, 3);
  });

  test.each([undefined, null, "text", 3, [], { storage: "s3" }, { pipeline: null }, { __proto__: { storage: {} } }])(
    "an odd contract says nothing: %j",
    (contract) => {
      expect(readTerms(contract)).toEqual({ terms: {}, faults: [] });
    },
  );

  test("names each field that holds something else, without its value", () => {
    const { terms, faults } = readTerms({
      storage: { copies: 0 },
      pipeline: { executors: "joe@example.com" },
      growth: -2,
    });
    expect(terms).toEqual({});
    expect(faults.map(({ field }) => field)).toEqual(["storage.copies", "growth", "pipeline.executors"]);
    expect(JSON.stringify(faults)).not.toContain("joe@");
  });
});

describe("computeCost", () => {
  const pipeline = { hoursPerRun: 4, executors: 3, executorPricePerHour: 3.75 };

  test("is runs × hours × executors × price: one run of the decision record costs $45", () => {
    expect(computeCost({ ...pipeline, runsPerMonth: 1 }, undefined)).toMatchObject({ known: true, usd: 45 });
  });

  test("takes the runs from the refresh frequency where the pipeline names none", () => {
    expect(computeCost({ ...pipeline, refreshesPerMonth: 2 }, undefined)).toMatchObject({ runs: 2, usd: 90 });
  });

  test("takes a list price for a named machine, and none for one that is not listed", () => {
    const terms = { runsPerMonth: 10, hoursPerRun: 1, executors: 1 };
    const region = regionPrices("us-east-1");
    expect(computeCost({ ...terms, executorType: "m5.xlarge" }, region)).toMatchObject({ usd: 1.92 });
    expect(computeCost({ ...terms, executorType: "x99" }, region)).toEqual({
      known: false,
      missing: ["pipeline.executor_price_per_hour"],
    });
  });
});
