import { existsSync, readFileSync } from "node:fs";
import { runAction } from "@odg/expert-plugin-api/testing";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, test } from "vitest";
import expert from "./index.ts";
import { lineageEvent } from "./open-lineage.ts";
import type { DependencyMap } from "./output.ts";

const SCHEMAS = new URL("../../../../shared/corpus/lineage/openlineage/", import.meta.url);
const hasSchemas = existsSync(SCHEMAS);
if (!hasSchemas) process.stderr.write("skipped: OpenLineage schemas (no ../shared/corpus)\n");

const schema = (name: string) => JSON.parse(readFileSync(new URL(name, SCHEMAS), "utf8")) as { $id: string };

async function eventOf(sql: string): Promise<Record<string, unknown>> {
  const tables = { "lake/t.parquet": { columns: {}, documents: { "t.sql": sql } } };
  const { output } = await runAction(expert, "map_dependencies", { dataset: "lake/t.parquet" }, { tables });
  return (output as DependencyMap).openlineage ?? {};
}

describe("lineageEvent", () => {
  test.skipIf(!hasSchemas)("satisfies the specification's schemas of event and facet", async () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const [spec, facet] = [schema("OpenLineage.json"), schema("facets/ColumnLineageDatasetFacet.json")];
    ajv.addSchema(spec);
    ajv.addSchema(facet);
    const event = await eventOf(
      "CREATE TABLE t AS SELECT a.x, sum(b.y) AS y FROM a JOIN b ON a.id = b.id GROUP BY a.x",
    );
    const check = (id: string, data: unknown) => ajv.validate(id, data) || ajv.errorsText();
    expect(check(spec.$id, event)).toBe(true);
    expect(event.schemaURL).toBe(`${spec.$id}#/$defs/JobEvent`);
    expect(check(`${spec.$id}#/$defs/JobEvent`, event)).toBe(true);
    const [output] = event.outputs as { facets: { columnLineage: Record<string, unknown> } }[];
    expect(output?.facets.columnLineage._schemaURL).toBe(`${facet.$id}#/$defs/ColumnLineageDatasetFacet`);
    expect(check(`${facet.$id}#/$defs/ColumnLineageDatasetFacet`, output?.facets.columnLineage)).toBe(true);
  });

  test("tells inputs, output and how each column comes about, at the time of the run", async () => {
    const event = await eventOf("CREATE TABLE t AS SELECT sum(a.x) AS y FROM a");
    expect(event).toMatchObject({
      eventTime: new Date(0x01900000_0000).toISOString(),
      job: { namespace: "default", name: "t.sql" },
      inputs: [{ namespace: "default", name: "a" }],
    });
    const inputFields = [
      { namespace: "default", name: "a", field: "x", transformations: [{ type: "DIRECT", subtype: "AGGREGATION" }] },
    ];
    expect(event.outputs).toMatchObject([{ name: "t", facets: { columnLineage: { fields: { y: { inputFields } } } } }]);
  });

  test("is left out where the run's id tells no time", () => {
    const input = { namespace: "n", dataset: "t", files: [], upstream: [], columns: [] };
    expect(lineageEvent({ ...input, runId: "run-1" })).toBeUndefined();
  });
});
