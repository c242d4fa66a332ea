import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { createRouterTransport, type Transport } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ContextEntrySchema, HostService, ReadDatasetResponseSchema } from "@odg/proto/odg/expert/v1/expert_pb";
import { reject } from "@odg/rpc";
import type { Batch, ReadOptions, WorkerFunction, WorkerIo } from "../worker.ts";
import { countDistinct, datasetOf, documentsOf, type MemoryTable, profileOf, rowCount } from "./memory-table.ts";

/** What a {@link memoryHost} serves. */
export interface MemoryHostOptions {
  /** Tables by URI. */
  tables?: Record<string, MemoryTable>;
  /** Shared values by key, as if an earlier task had written them. */
  context?: Record<string, JsonValue>;
  /** Rows per batch; default 1,000. */
  batchRows?: number;
}

/** HostService over tables in memory: what an engine offers to an expert, without an engine. */
export function memoryHost(options: MemoryHostOptions = {}): Transport {
  const tables = options.tables ?? {};
  const batchRows = options.batchRows ?? 1000;
  const find = (uri: string): MemoryTable => {
    const table = Object.hasOwn(tables, uri) ? tables[uri] : undefined;
    if (!table) throw reject(Reason.NOT_FOUND, { message: "the dataset does not exist", field: "uri" });
    return table;
  };
  const io: WorkerIo = {
    async *read(uri, read = {}) {
      yield* batches(find(uri), read, batchRows);
    },
    async distinct(uri, column, { limit = 1000 } = {}) {
      const values = find(uri).columns[column]?.values;
      if (!values) throw reject(Reason.NOT_FOUND, { message: "the column does not exist", field: "column" });
      const present = values.filter((value) => value !== null && value !== undefined);
      return countDistinct(present)
        .slice(0, limit)
        .map(([value, count]) => ({ value, count }));
    },
  };
  return createRouterTransport(({ service }) => {
    service(HostService, {
      getDataset: ({ uri }) => ({ dataset: datasetOf(uri, find(uri)) }),
      profileDataset: ({ uri }) => ({ profile: profileOf(uri, find(uri)) }),
      listDocuments: ({ uri, kind }) => ({
        documents: documentsOf(find(uri)).filter((one) => !kind || one.kind === kind),
      }),
      listDatasets: ({ besideUri }) => ({
        datasets: Object.entries(tables)
          .filter(([uri]) => uri !== besideUri)
          .map(([uri, table]) => datasetOf(uri, table)),
      }),
      async *readDataset({ uri, columns, sample }) {
        for await (const batch of io.read(uri, {
          ...(columns.length ? { columns } : {}),
          ...(sample ? { sample } : {}),
        })) {
          yield create(ReadDatasetResponseSchema, {
            rowCount: batch.rowCount,
            columns: Object.entries(batch.columns).map(([name, values]) => ({
              name,
              values: fromJson(ListValueSchema, JSON.parse(JSON.stringify(values)) as JsonValue),
            })),
          });
        }
      },
      readDistinct: async ({ uri, column, limit }) => ({
        values: (await io.distinct(uri, column, limit > 0 ? { limit } : {})).map(({ value, count }) => ({
          value: fromJson(ValueSchema, JSON.parse(JSON.stringify(value)) as JsonValue),
          count: BigInt(count),
        })),
      }),
      getContext: ({ keys }) => ({
        entries: Object.entries(options.context ?? {})
          .filter(([key]) => keys.length === 0 || keys.includes(key))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) =>
            create(ContextEntrySchema, {
              key,
              value: fromJson(ValueSchema, value),
              version: 1n,
              taskId: "earlier",
              expert: "Earlier@1.0.0",
            }),
          ),
      }),
      offload: async ({ module, input }, { signal }) => {
        const worker = (await import(module)) as { default: WorkerFunction };
        const data = input ? toJson(ValueSchema, input) : null;
        const output = await worker.default(structuredClone(data), { ...io, signal });
        return { output: fromJson(ValueSchema, JSON.parse(JSON.stringify(output ?? null)) as JsonValue) };
      },
      generate: () => {
        throw reject(Reason.MODEL_NOT_CONFIGURED, { message: "no model is configured" });
      },
      searchKnowledge: () => {
        throw reject(Reason.KNOWLEDGE_NOT_CONFIGURED, { message: "no knowledge base is configured" });
      },
    });
  });
}

function* batches(table: MemoryTable, { columns, sample }: ReadOptions, batchRows: number): Generator<Batch> {
  const names = columns ?? Object.keys(table.columns);
  const total = rowCount(table);
  // Every n-th row: as deterministic as an engine's seeded sample.
  const step = sample ? Math.max(1, Math.ceil(total / sample)) : 1;
  const rows = Array.from({ length: Math.ceil(total / step) }, (_, index) => index * step);
  for (let start = 0; start < rows.length; start += batchRows) {
    const part = rows.slice(start, start + batchRows);
    yield {
      rowCount: part.length,
      columns: Object.fromEntries(
        names.map((name) => {
          const values = table.columns[name]?.values;
          if (!values) throw reject(Reason.NOT_FOUND, { message: "the column does not exist", field: "columns" });
          return [name, part.map((row) => values[row] ?? null)];
        }),
      ),
    };
  }
}
