import { type AggregateRule, aggregateRules } from "./aggregate-rules.ts";
import { kindOf } from "./kinds.ts";
import { type MapRule, mapRules } from "./map-rules.ts";
import { type RowRule, rowRules } from "./row-rules.ts";
import { type Rows, RuleError, type Subject } from "./rule.ts";
import type { Expectation } from "./suite.ts";
import { type TableRule, tableRules } from "./table-rules.ts";

/** How one expectation fared. Holds no value of any row. */
export interface Outcome {
  success: boolean;
  /** Rows looked at. */
  elements: number;
  /** Rows without a value. */
  missing: number;
  /** Rows that break the rule, by position. */
  unexpected: number[];
  /** The number that an aggregate rule compares. */
  observed?: number;
  /** Why nothing could be checked: an unknown type, a missing column, arguments that do not fit. */
  error?: string;
}

/** Types that can be evaluated. */
export const EVALUATED: ReadonlySet<string> = new Set(
  [mapRules, aggregateRules, rowRules, tableRules].flatMap((rules) => Object.keys(rules)),
);

/** Checks rows against one expectation as Great Expectations does in pandas: NULLs are missing, not unexpected. */
export function evaluate({ type, kwargs }: Expectation, rows: Rows): Outcome {
  const call = { kwargs, rows };
  if (Object.hasOwn(tableRules, type)) return evaluateTable(tableRules[type]!, call);
  if (Object.hasOwn(rowRules, type)) return evaluateRows(rowRules[type]!, call);
  const column = kwargs.column;
  if (typeof column !== "string" || !Object.hasOwn(rows.columns, column)) return failed("the column does not exist");
  const values = rows.columns[column] ?? [];
  const duckType = rows.types && Object.hasOwn(rows.types, column) ? rows.types[column] : undefined;
  const subject: Subject = { values, type: duckType, kind: duckType ? kindOf(duckType) : undefined };
  if (Object.hasOwn(mapRules, type)) return evaluateMap(mapRules[type]!, subject, kwargs);
  if (Object.hasOwn(aggregateRules, type)) return evaluateAggregate(aggregateRules[type]!, subject, kwargs);
  return failed(`the type ${type} is not known`);
}

function failed(error: string): Outcome {
  return { success: false, elements: 0, missing: 0, unexpected: [], error };
}

function guarded(work: () => Outcome): Outcome {
  try {
    return work();
  } catch (error) {
    if (error instanceof RuleError) return failed(error.message);
    throw error;
  }
}

function evaluateMap(rule: MapRule, subject: Subject, kwargs: Expectation["kwargs"]): Outcome {
  return guarded(() => {
    const holds = rule.prepare(kwargs, subject);
    const unexpected: number[] = [];
    let missing = 0;
    for (const [row, value] of subject.values.entries()) {
      const absent = value === null || value === undefined;
      if (absent) missing += 1;
      if (absent && !rule.seesMissing) continue;
      if (!holds(value)) unexpected.push(row);
    }
    const looked = rule.seesMissing ? subject.values.length : subject.values.length - missing;
    return { success: enough(looked, unexpected.length, kwargs), elements: subject.values.length, missing, unexpected };
  });
}

function enough(looked: number, unexpected: number, kwargs: Expectation["kwargs"]): boolean {
  const mostly = typeof kwargs.mostly === "number" ? kwargs.mostly : 1;
  return looked === 0 || (looked - unexpected) / looked >= mostly - 1e-12;
}

function evaluateAggregate(rule: AggregateRule, subject: Subject, kwargs: Expectation["kwargs"]): Outcome {
  return guarded(() => {
    const { success, observed } = rule(kwargs, subject);
    const missing = subject.values.filter((value) => value === null || value === undefined).length;
    return {
      success,
      elements: subject.values.length,
      missing,
      unexpected: [],
      ...finite(observed),
    };
  });
}

/** The deviation of one row is no number, and cannot travel as one. */
function finite(observed: number | undefined): { observed?: number } {
  return observed !== undefined && Number.isFinite(observed) ? { observed } : {};
}

function evaluateRows(rule: RowRule, { kwargs, rows }: { kwargs: Expectation["kwargs"]; rows: Rows }): Outcome {
  return guarded(() => {
    const { ignored, unexpected } = rule(kwargs, rows);
    return {
      success: enough(rows.rowCount - ignored, unexpected.length, kwargs),
      elements: rows.rowCount,
      missing: ignored,
      unexpected,
    };
  });
}

function evaluateTable(rule: TableRule, { kwargs, rows }: { kwargs: Expectation["kwargs"]; rows: Rows }): Outcome {
  return guarded(() => {
    const { success, observed } = rule(kwargs, rows);
    return {
      success,
      elements: rows.rowCount,
      missing: 0,
      unexpected: [],
      ...finite(observed),
    };
  });
}
