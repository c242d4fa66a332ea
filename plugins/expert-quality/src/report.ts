import type { FindingInit } from "@odg/expert-plugin-api";
import type { Observation } from "./observe.ts";
import type { Expectation, Suite } from "./suite.ts";

/** The suite with what it came from: no time and no path, so that the same data give the same suite. */
export function suiteOf({ info, rowCount }: Observation, expectations: Expectation[], sampledRows: number): Suite {
  return {
    name: `${info.name}_expectations`,
    expectations,
    meta: { proposed_from: { dataset: info.name, rows: rowCount, sampled_rows: sampledRows } },
  };
}

/** The finding that sums the suite up. */
export function suiteFinding(
  table: string,
  suite: Suite,
  { proposed, rows }: { proposed: number; rows: number },
): FindingInit {
  const count = suite.expectations.length;
  const byType = Map.groupBy(suite.expectations, ({ type }) => type);
  const types = [...byType].sort(([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1));
  return {
    rule: "quality.expectations_proposed",
    severity: count > 0 ? "ok" : "info",
    subject: { kind: "dataset", name: table },
    reason:
      count > 0
        ? `${count} expectations are proposed; every one holds on the rows it was checked on.`
        : "There are too few rows to propose expectations from.",
    evidence: [
      { label: "checked on", text: `${rows.toLocaleString("en-US")} sampled rows`, value: rows, unit: "rows" },
      { label: "dropped", text: `${proposed - count} of ${proposed} proposals did not hold`, value: proposed - count },
      ...types.map(([type, same]) => ({
        label: type.replace(/^expect_/, ""),
        text: `${same.length}`,
        value: same.length,
      })),
    ],
    ...(count > 0 ? { remedy: "Review the suite, then check every new batch against it." } : {}),
  };
}
