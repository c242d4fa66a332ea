import type { ColumnEdge, Transform } from "./statement.ts";

/** Who made an event, as OpenLineage wants it: a URI. */
export const PRODUCER = "urn:odg:expert-lineage:0.1.0";
const JOB_EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent";
const COLUMN_LINEAGE =
  "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet";

/** What an event tells. */
export interface LineageEventInput {
  /** Id of the run: a UUID of version 7, whose time becomes the time of the event. */
  runId: string;
  namespace: string;
  /** The dataset that is written. */
  dataset: string;
  /** Files that write it. */
  files: string[];
  /** Names of the datasets that it is made of. */
  upstream: string[];
  columns: ColumnEdge[];
}

/** An OpenLineage JobEvent; its type is the specification's JSON Schema, checked in the tests. */
export type LineageEvent = {
  eventTime: string;
  producer: string;
  schemaURL: string;
  job: { namespace: string; name: string };
  inputs: { namespace: string; name: string }[];
  outputs: { namespace: string; name: string; facets: Record<string, unknown> }[];
};

const SUBTYPES: Record<Transform, string> = {
  identity: "IDENTITY",
  transformation: "TRANSFORMATION",
  aggregation: "AGGREGATION",
};

/**
 * The lineage as an OpenLineage JobEvent: SQL that was read, not a run that was watched, hence no RunEvent.
 * `undefined` where the run's id holds no time, for an event without a true time would be wrong.
 *
 * Source: OpenLineage spec 2-0-2, ColumnLineageDatasetFacet 1-2-0.
 */
export function lineageEvent(input: LineageEventInput): LineageEvent | undefined {
  const eventTime = timeOf(input.runId);
  if (eventTime === undefined) return undefined;
  const { namespace } = input;
  const fields = columnFields(input);
  const facet = { _producer: PRODUCER, _schemaURL: COLUMN_LINEAGE, fields };
  return {
    eventTime,
    producer: PRODUCER,
    schemaURL: JOB_EVENT,
    job: { namespace, name: input.files.length > 0 ? input.files.join(",") : input.dataset },
    inputs: input.upstream.map((name) => ({ namespace, name })),
    outputs: [
      { namespace, name: input.dataset, facets: Object.keys(fields).length > 0 ? { columnLineage: facet } : {} },
    ],
  };
}

/** RFC 9562: the first 48 bits of a UUID of version 7 are milliseconds since the epoch. */
function timeOf(uuid: string): string | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(uuid)) return undefined;
  return new Date(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16)).toISOString();
}

function columnFields({ namespace, columns }: LineageEventInput): Record<string, { inputFields: unknown[] }> {
  const fields = new Map<string, unknown[]>();
  for (const { from, to, transform } of columns) {
    if (from.table === null) continue;
    const input = {
      namespace,
      name: from.table,
      field: from.column,
      transformations: [{ type: "DIRECT", subtype: SUBTYPES[transform] }],
    };
    fields.set(to.column, [...(fields.get(to.column) ?? []), input]);
  }
  return Object.fromEntries([...fields].map(([name, inputFields]) => [name, { inputFields }]));
}
