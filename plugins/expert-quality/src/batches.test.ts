import { type MemoryTable, runAction } from "@odg/expert-plugin-api/testing";
import { beforeAll, expect, test } from "vitest";
import expert from "./index.ts";
import { Suite } from "./suite.ts";
import { bookings, part, seeded } from "./testdata/bookings.ts";

const ROWS = 4_000;
let suite: Suite;
let second: MemoryTable;

beforeAll(async () => {
  const whole = bookings(2 * ROWS);
  second = part(whole, ROWS, 2 * ROWS);
  const tables = { "first.parquet": part(whole, 0, ROWS) };
  const { output } = await runAction(expert, "define_expectations", { dataset: "first.parquet" }, { tables });
  suite = Suite.parse((output as { suite: unknown }).suite);
});

async function failures(table: MemoryTable): Promise<string[]> {
  const input = { dataset: "batch.parquet", suite: JSON.parse(JSON.stringify(suite)) };
  const { output } = await runAction(expert, "check_expectations", input, { tables: { "batch.parquet": table } });
  const { results } = output as { results: { type: string; column: string; success: boolean }[] };
  return results.filter(({ success }) => !success).map(({ type, column }) => `${type} ${column}`);
}

test("a clean second half passes at least 98 % of the suite", async () => {
  const failed = await failures(second);
  expect(suite.expectations.length).toBeGreaterThan(30);
  expect(1 - failed.length / suite.expectations.length, failed.join("\n")).toBeGreaterThanOrEqual(0.98);
});

type Change = (value: unknown, random: () => number) => unknown;

/** Changes a share of the values of a column. */
function spoil(column: string, share: number, change: Change) {
  return (table: MemoryTable, seed: number): MemoryTable => {
    const random = seeded(seed);
    const found = table.columns[column];
    if (!found) throw new Error(`no column ${column}`);
    const values = found.values.map((value) => (random() < share ? change(value, random) : value));
    return { ...table, columns: { ...table.columns, [column]: { ...found, values } } };
  };
}

function swap(one: string, other: string) {
  return (table: MemoryTable): MemoryTable => {
    const [a, b] = [table.columns[one], table.columns[other]];
    if (!a || !b) throw new Error("no such columns");
    return {
      ...table,
      columns: { ...table.columns, [one]: { ...a, values: b.values }, [other]: { ...b, values: a.values } },
    };
  };
}

const FAULTS: Record<string, ((table: MemoryTable, seed: number) => MemoryTable)[]> = {
  nulls: ["guest_id", "city", "price", "nights", "contact", "arrives"].map((name) => spoil(name, 0.05, () => null)),
  "more nulls than before": [spoil("rating", 0.2, () => null), spoil("remark", 0.5, () => null)],
  "out of range": [
    spoil("price", 0.01, () => -50),
    spoil("nights", 0.01, () => 4_000),
    spoil("rating", 0.01, () => 99),
    spoil("arrives", 0.01, () => "1900-01-01"),
    spoil("departs", 0.01, () => "9999-12-31"),
    spoil("guest_id", 0.01, () => 99_999_999),
  ],
  "wrong type": ["booking_id", "contact", "city", "state"].map((name) =>
    spoil(name, 0.02, (_, random) => `${random()}`),
  ),
  "duplicate keys": [spoil("booking_id", 0.02, () => "BK-0000001")],
  "category typo": [
    spoil("city", 0.01, (value) => `${value}x`),
    spoil("state", 0.01, () => "payed"),
    spoil("state", 0.01, (value) => String(value).toUpperCase()),
    spoil("discount", 0.01, () => 7),
  ],
  "unit times 100": ["price", "nights", "rating", "discount"].map((name) =>
    spoil(name, 1, (value) => (typeof value === "number" ? value * 100 : value)),
  ),
  "unit times 100 in some rows": ["price", "nights", "rating"].map((name) =>
    spoil(name, 0.1, (value) => (typeof value === "number" ? value * 100 : value)),
  ),
  "shifted mean": [
    spoil("price", 1, (value) => Number(value) * 1.3),
    spoil("rating", 1, (value) => (value === null ? null : Number(value) - 0.5)),
    spoil("nights", 1, (value) => Number(value) + 2),
    spoil("discount", 0.5, () => 20),
  ],
  "broken pattern": [
    spoil("booking_id", 0.02, (value) => String(value).replace("-", "")),
    spoil("contact", 0.02, (value) => String(value).replace("@", " at ")),
    spoil("contact", 0.02, () => ""),
  ],
  "swapped columns": [
    swap("city", "state"),
    swap("arrives", "departs"),
    swap("price", "nights"),
    swap("contact", "city"),
  ],
  truncation: [
    (table) => part(table, 0, ROWS / 4),
    spoil("booking_id", 0.05, (value) => String(value).slice(0, 5)),
    spoil("city", 0.05, (value) => String(value).slice(0, 3)),
    spoil("contact", 0.05, (value) => String(value).slice(0, 4)),
  ],
};

test("at least 85 % of injected faults are caught", async () => {
  const baseline = new Set(await failures(second));
  const missed: string[] = [];
  let injected = 0;
  for (const [kind, faults] of Object.entries(FAULTS)) {
    for (const [index, fault] of faults.entries()) {
      injected += 1;
      const failed = await failures(fault(second, injected));
      if (!failed.some((one) => !baseline.has(one))) missed.push(`${kind} ${index + 1}`);
    }
  }
  expect(injected).toBeGreaterThan(40);
  expect(1 - missed.length / injected, `missed of ${injected}: ${missed.join(", ")}`).toBeGreaterThanOrEqual(0.85);
}, 120_000);
