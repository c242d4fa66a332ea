import { expect, test } from "vitest";
import { maskedViewSql, quoteIdentifier } from "./masking.ts";

test("quotes in identifiers are doubled", () => {
  expect(quoteIdentifier('a"; DROP TABLE x; --')).toBe('"a""; DROP TABLE x; --"');
});

test("hashes and tokens are NULL without a key, for || passes NULL on", () => {
  const sql = maskedViewSql("t", [{ column: "email", entity: "email", masking: "hash" }, { column: "id" }], false);
  expect(sql).toContain('sha256(getvariable(\'masking_key\') || lower(trim(CAST("email" AS VARCHAR)))) AS "email"');
  expect(sql).toContain('  "id"\n');
});

test("a nested root with a personal leaf is left out, its siblings with it", () => {
  const columns = [
    { column: "person.email", entity: "email", masking: "hash" } as const,
    { column: "person.age" },
    { column: "n" },
  ];
  expect(maskedViewSql("t", columns, true)).not.toContain("person");
  expect(maskedViewSql("t", columns, false)).toContain('"person.email"');
});

test("generalising follows the kind: year, area, network", () => {
  const columns = (["date_of_birth", "latitude", "ip_address", "postcode"] as const).map((entity) => ({
    column: entity,
    entity,
    masking: "generalise" as const,
  }));
  const sql = maskedViewSql("t", columns, false);
  for (const part of ["date_trunc('year'", "round(TRY_CAST", "regexp_replace(", "left(CAST"])
    expect(sql).toContain(part);
});
