import type { FindingInit } from "@odg/expert-plugin-api";
import type { CheckAnswer } from "./check-worker.ts";
import type { Expectation, Suite } from "./suite.ts";

type Result = CheckAnswer["results"][number];

/** One finding per expectation that does not hold, and one that sums up. */
export function suiteFailures(table: string, suite: Suite, { results, rows }: CheckAnswer): FindingInit[] {
  const failures = suite.expectations.flatMap((one, index) => {
    const result = results[index];
    return result && !result.success ? [failure(table, one, result)] : [];
  });
  const total = suite.expectations.length;
  return [
    ...failures,
    {
      rule: "quality.suite_checked",
      severity: failures.length === 0 ? "ok" : "info",
      subject: { kind: "dataset", name: table },
      reason: `${total - failures.length} of ${total} expectations of ${suite.name} hold.`,
      evidence: [
        { label: "checked on", text: `${rows.toLocaleString("en-US")} sampled rows`, value: rows, unit: "rows" },
      ],
    },
  ];
}

function failure(table: string, { type, kwargs, meta }: Expectation, result: Result): FindingInit {
  const column = columnsOf(kwargs);
  const looked = result.elements - result.missing;
  const share = looked > 0 ? result.unexpected / looked : 0;
  const shown =
    result.error ?? (result.observed === undefined ? unexpectedText(result, share) : `observed ${result.observed}`);
  return {
    rule: "quality.expectation_failed",
    severity: result.error ? "warning" : "error",
    subject: column ? { kind: "column", name: `${table}.${column}` } : { kind: "dataset", name: table },
    reason: `The expectation ${type} does not hold on this batch.`,
    evidence: [
      { label: "result", text: shown, ...(result.error ? {} : { value: result.observed ?? share }) },
      ...(typeof meta.reason === "string" ? [{ label: "expected because", text: meta.reason }] : []),
    ],
    remedy: "Look at the source of the batch, or change the expectation where the data have rightly changed.",
  };
}

function unexpectedText({ unexpected, elements, missing }: Result, share: number): string {
  return `${unexpected.toLocaleString("en-US")} of ${(elements - missing).toLocaleString("en-US")} values unexpected (${(share * 100).toFixed(2)} %)`;
}

/** Name of the column, or names of the columns, that an expectation is about; empty for the table. */
export function columnsOf(kwargs: Expectation["kwargs"]): string {
  if (typeof kwargs.column === "string") return kwargs.column;
  if (typeof kwargs.column_A === "string") return `${kwargs.column_A}, ${String(kwargs.column_B)}`;
  return "";
}

/** One line of the answer of `check_expectations`. */
export function resultOf(expectation: Expectation | undefined, result: Result) {
  return { type: expectation?.type ?? "", column: expectation ? columnsOf(expectation.kwargs) : "", ...result };
}
