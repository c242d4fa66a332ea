import { readFileSync } from "node:fs";
import { conformanceCases, runAction, type Sample } from "@odg/expert-plugin-api/testing";
import { describe, expect, test } from "vitest";
import expert from "./index.ts";
import type { DetectPiiOutput } from "./output.ts";

const rows = 200;
const range = <T>(make: (index: number) => T, length = rows): T[] => Array.from({ length }, (_, index) => make(index));
const pad = (value: number, width: number): string => String(value).padStart(width, "0");
const ssn = (index: number): string =>
  `${pad(100 + index, 3)}-${pad(10 + (index % 80), 2)}-${pad(1000 + index * 7, 4)}`;

/** Fifteen columns like those of the sample lake: three of them personal. */
const transactions = {
  columns: {
    transaction_id: { type: "VARCHAR", values: range((i) => `TX${pad(7_000_000 + i, 10)}`) },
    order_id: { type: "BIGINT", values: range((i) => 7_000_000 + i) },
    customer_id: { type: "BIGINT", values: range((i) => 100_000 + ((i * 37) % 9000)) },
    email: { type: "VARCHAR", values: range((i) => `felix.tanaka${i}@example.org`), withheld: "e-mail" },
    phone: {
      type: "VARCHAR",
      values: range((i) => (i % 2 ? `+1 215-555-01${pad(i % 100, 2)}` : `+33 6 39 98 ${pad(i % 100, 2)} 77`)),
    },
    ssn: { type: "VARCHAR", values: range((i) => (i % 3 ? null : ssn(i))), withheld: "ssn" },
    country_code: { type: "VARCHAR", values: range((i) => ["US", "FR", "DE"][i % 3]) },
    store_code: { type: "VARCHAR", values: range((i) => pad(i % 40, 4)) },
    amount: { type: "DECIMAL(12,2)", values: range((i) => `${i * 3}.${pad(i % 100, 2)}`) },
    currency: { type: "VARCHAR", values: range((i) => ["EUR", "USD"][i % 2]) },
    discount_percent: { type: "DECIMAL(5,2)", values: range((i) => (i % 4 ? null : "25.00")) },
    status: { type: "VARCHAR", values: range(() => "completed") },
    channel: { type: "VARCHAR", values: range((i) => ["web", "app"][i % 2]) },
    loyalty_points: { type: "INTEGER", values: range((i) => i * 152) },
    transaction_ts: {
      type: "TIMESTAMP",
      values: range((i) => `2026-05-${pad(1 + (i % 28), 2)} 19:26:${pad(i % 60, 2)}`),
    },
  },
};
const column = (values: unknown[], type = "VARCHAR") => ({ type, values });
const detect = async (tables: Parameters<typeof runAction>[3], dataset = "t.parquet") => {
  const outcome = await runAction(expert, "detect_pii", { dataset }, tables);
  return { ...outcome, output: outcome.output as unknown as DetectPiiOutput };
};
const detectColumns = (columns: Record<string, ReturnType<typeof column>>, dataset = "t.parquet") =>
  detect({ tables: { [dataset]: { columns } } }, dataset);

const samples: Sample[] = [
  { action: "detect_pii", input: { dataset: "t.parquet" }, options: { tables: { "t.parquet": transactions } } },
  { action: "detect_pii", input: { dataset: "e.parquet" }, options: { tables: { "e.parquet": { columns: {} } } } },
];
describe("conformance", () => {
  for (const one of conformanceCases(expert, samples)) test(one.name, one.run);
});

test("the version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  expect(expert.version).toBe(manifest.version);
});

describe("a table of transactions", () => {
  test("holds exactly email, phone and ssn", async () => {
    const { output, summary, contextWrites } = await detect({ tables: { "t.parquet": transactions } });
    expect(output.columns.map(({ column: name, entity }) => [name, entity])).toEqual([
      ["email", "email"],
      ["phone", "phone"],
      ["ssn", "us_ssn"],
    ]);
    expect(output.clean_columns).toHaveLength(12);
    expect(summary).toBe("3 PII fields require masking: email, phone, ssn");
    expect(contextWrites["security.pii"]).toEqual(
      output.columns.map(({ column: name, entity, confidence, masking }) => ({
        column: name,
        entity,
        confidence,
        masking,
      })),
    );
  });

  test("never shows a value: only shares and shapes", async () => {
    const everything = JSON.stringify(await detect({ tables: { "t.parquet": transactions } }), (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    for (const name of ["email", "phone", "ssn"] as const) {
      for (const value of transactions.columns[name].values) if (value) expect(everything).not.toContain(value);
    }
    expect(everything).toContain("999-99-9999");
  });

  test("gets a masked view that keeps the other columns", async () => {
    const { output } = await detect({ tables: { "t.parquet": transactions } });
    expect(output.masked_view_sql).toContain('CREATE VIEW "t_masked" AS');
    expect(output.masked_view_sql).toContain(
      'sha256(getvariable(\'masking_key\') || lower(trim(CAST("email" AS VARCHAR)))) AS "email"',
    );
    expect(output.masked_view_sql).toContain('  "amount"');
  });
});

describe("what looks alike", () => {
  test("numbers that pass Luhn no more often than chance are no cards", async () => {
    const { output } = await detectColumns({
      tracking: column(range((i) => String(4_000_000_000_000_000 + i * 7919))),
    });
    expect(output.columns).toEqual([]);
  });

  test("ids, years, prices, flags and times are clean", async () => {
    const { output } = await detectColumns({
      id: column(
        range((i) => 100_000_000 + i),
        "BIGINT",
      ),
      year: column(
        range((i) => 1950 + (i % 70)),
        "INTEGER",
      ),
      price: column(
        range((i) => `${i}.99`),
        "DOUBLE",
      ),
      is_email_verified: column(
        range((i) => i % 2 === 0),
        "BOOLEAN",
      ),
      phone_type: column(range((i) => ["mobile", "home"][i % 2])),
      created_at: column(
        range((i) => 1_700_000_000 + i * 86_399),
        "BIGINT",
      ),
      millis: column(
        range((i) => 1_700_000_000_000 + i * 86_399_123),
        "BIGINT",
      ),
      app_version: column(range((i) => `1.${i % 9}.${i % 7}.${i % 5}`)),
      product_name: column(range((i) => `Desk lamp ${i}`)),
    });
    expect(output.columns.map(({ column: name, entity }) => `${name} ${entity}`)).toEqual([]);
  });

  test("an email column that holds flags is not believed", async () => {
    const { output } = await detectColumns({ email: column(range((i) => (i % 2 ? "yes" : "no"))) });
    expect(output.columns).toEqual([]);
  });
});

describe("a name alone", () => {
  test("works where no value is, with lower confidence, and says so", async () => {
    const { output, findings } = await detectColumns({ passport_number: column(range(() => null)) });
    expect(output.columns[0]).toMatchObject({ entity: "passport", basis: "name", confidence: 0.675 });
    expect(JSON.stringify(findings[0]?.evidence.map(({ text }) => text))).toContain("no value could be read");
  });

  test("of a person is told by its table", async () => {
    const names = ["Ngozi Adeyemi", "Thandiwe Dube", "Kofi Annan", "Wanjiru Kamau"];
    const values = range((i) => `${names[i % 4]}${"abcdefgh"[i % 8]}`);
    expect((await detectColumns({ name: column(values) }, "customers.parquet")).output.columns).toHaveLength(1);
    expect(
      (await detectColumns({ name: column(range((i) => `Widget ${i}`)) }, "products.parquet")).output.columns,
    ).toEqual([]);
  });
});

test("values alone are enough where the name says nothing", async () => {
  const { output } = await detectColumns({
    c1: column(range((i) => `a.person${i}@example.net`)),
    c2: column(
      range(
        (i) => `${["Anna", "John", "Maria", "Peter"][i % 4]} ${["Nowak", "Smith", "Silva", "Weber", "Rossi"][i % 5]}`,
      ),
    ),
    c3: column(range((i) => `10.0.${i % 256}.${(i * 7) % 256}`)),
    c4: column(range((i) => `${i + 1} Main Street, Springfield`)),
  });
  expect(output.columns.map(({ entity }) => entity)).toEqual(["email", "person_name", "ip_address", "street_address"]);
});

test("an address inside free text is found and the text is dropped", async () => {
  const { output } = await detectColumns({
    comment: column(
      range((i) =>
        i % 20 ? `all went well on the delivery number ${i}` : `please write to jane${i}@example.com instead`,
      ),
    ),
  });
  expect(output.columns[0]).toMatchObject({ entity: "email", basis: "text inside values", masking: "drop" });
});

test("columns left over when the time is up are treated as personal data", async () => {
  const { output, findings } = await runAction(
    expert,
    "detect_pii",
    { dataset: "t.parquet", budget_ms: 0 },
    { tables: { "t.parquet": transactions } },
  ).then((outcome) => ({ ...outcome, output: outcome.output as unknown as DetectPiiOutput }));
  expect(output.columns).toHaveLength(15);
  expect(output.columns.find(({ column: name }) => name === "store_code")?.entity).toBe("unscanned");
  expect(findings.some(({ ruleId }) => ruleId === "security.scan_incomplete")).toBe(true);
});

test("odd data is no fault: no columns, no rows, odd names, nested paths, two thousand columns", async () => {
  const wide = Object.fromEntries(range((i) => [`c${i}`, column([i, null], "INTEGER")], 2000));
  const odd = {
    'a"b; DROP': column(["x"]),
    "": column([null]),
    "héllo.[]": column([["a"]]),
    "customer.email": column(["a@b.co", "c@d.co", "e@f.co"]),
  };
  for (const columns of [{}, { a: column([]) }, wide, odd]) {
    const { summary } = await detectColumns(columns);
    expect(summary).not.toBe("");
  }
  const { output } = await detectColumns(odd);
  expect(output.columns.map(({ column: name }) => name)).toEqual(["customer.email"]);
  expect(output.masked_view_sql).toContain('"a""b; DROP"');
  expect(output.masked_view_sql).not.toContain('"customer');
});
