import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { type ConnectRouter, createRouterTransport, type HandlerContext, type Transport } from "@connectrpc/connect";
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
  /** Refuse every question about data with this reason, as an engine does whose policy, disk or file says no. */
  refuse?: Reason;
}

/** HostService over tables in memory: what an engine offers to an expert, without an engine. */
export function memoryHost(options: MemoryHostOptions = {}): Transport {
  return createRouterTransport(memoryHostRoutes(() => options));
}

/** HostService over tables in memory; `lookUp` says, for every call, what the caller may see, or throws. */
export function memoryHostRoutes(lookUp: (call: HandlerContext) => MemoryHostOptions) {
  const open = (call: HandlerContext) => new Tables(lookUp(call));
  return ({ service }: ConnectRouter): void => {
    service(HostService, {
      getDataset: ({ uri }, call) => ({ dataset: datasetOf(uri, open(call).find(uri)) }),
      profileDataset: ({ uri }, call) => ({ profile: profileOf(uri, open(call).find(uri)) }),
      listDocuments: ({ uri, kind }, call) => ({
        documents: documentsOf(open(call).find(uri)).filter((one) => !kind || one.kind === kind),
      }),
      listDatasets: ({ besideUri }, call) => ({ datasets: open(call).beside(besideUri) }),
      readDataset: ({ uri, columns, sample }, call) => messages(open(call), { uri, columns, sample }),
      readDistinct: async ({ uri, column, limit }, call) => ({
        values: (await open(call).distinct(uri, column, limit > 0 ? { limit } : {})).map(({ value, count }) => ({
          value: fromJson(ValueSchema, JSON.parse(JSON.stringify(value)) as JsonValue),
          count: BigInt(count),
        })),
      }),
      getContext: ({ keys }, call) => ({ entries: entriesOf(lookUp(call).context ?? {}, keys) }),
      offload: async ({ module, input }, call) => {
        const tables = open(call);
        const worker = (await import(module)) as { default: WorkerFunction };
        const data = input ? toJson(ValueSchema, input) : null;
        const io: WorkerIo = {
          read: (uri, options) => tables.read(uri, options),
          distinct: (uri, column, options) => tables.distinct(uri, column, options),
          signal: call.signal,
        };
        const output = await worker.default(structuredClone(data), io);
        return { output: fromJson(ValueSchema, JSON.parse(JSON.stringify(output ?? null)) as JsonValue) };
      },
      generate: (_, call) => {
        lookUp(call);
        throw reject(Reason.MODEL_NOT_CONFIGURED, { message: "no model is configured" });
      },
      searchKnowledge: (_, call) => {
        lookUp(call);
        throw reject(Reason.KNOWLEDGE_NOT_CONFIGURED, { message: "no knowledge base is configured" });
      },
    });
  };
}

function entriesOf(context: Record<string, JsonValue>, keys: string[]) {
  return Object.entries(context)
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
    );
}

/** The tables that one call may see. */
class Tables {
  readonly #tables: Record<string, MemoryTable>;
  readonly #batchRows: number;
  readonly #refuse: Reason | undefined;

  constructor({ tables = {}, batchRows = 1000, refuse }: MemoryHostOptions) {
    this.#tables = tables;
    this.#batchRows = batchRows;
    this.#refuse = refuse;
  }

  find(uri: string): MemoryTable {
    if (this.#refuse !== undefined) throw reject(this.#refuse, { field: "uri" });
    const table = Object.hasOwn(this.#tables, uri) ? this.#tables[uri] : undefined;
    if (!table) throw reject(Reason.NOT_FOUND, { message: "the dataset does not exist", field: "uri" });
    return table;
  }

  beside(uri: string) {
    if (this.#refuse !== undefined) throw reject(this.#refuse, { field: "beside_uri" });
    const others = Object.entries(this.#tables).filter(([name]) => name !== uri);
    return others.map(([name, table]) => datasetOf(name, table));
  }

  async *read(uri: string, options: ReadOptions = {}): AsyncGenerator<Batch, void, undefined> {
    yield* batches(this.find(uri), options, this.#batchRows);
  }

  async distinct(uri: string, column: string, { limit = 1000 }: { limit?: number } = {}) {
    const { columns } = this.find(uri);
    const values = Object.hasOwn(columns, column) ? columns[column]?.values : undefined;
    if (!values) throw reject(Reason.NOT_FOUND, { message: "the column does not exist", field: "column" });
    const present = values.filter((value) => value !== null && value !== undefined);
    return countDistinct(present)
      .slice(0, limit)
      .map(([value, count]) => ({ value, count }));
  }
}

async function* messages(tables: Tables, asked: { uri: string; columns: string[]; sample: number }) {
  const { uri, columns, sample } = asked;
  const options = { ...(columns.length ? { columns } : {}), ...(sample ? { sample } : {}) };
  for await (const batch of tables.read(uri, options)) {
    yield create(ReadDatasetResponseSchema, {
      rowCount: batch.rowCount,
      columns: Object.entries(batch.columns).map(([name, values]) => ({
        name,
        values: fromJson(ListValueSchema, JSON.parse(JSON.stringify(values)) as JsonValue),
      })),
    });
  }
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
          const values = Object.hasOwn(table.columns, name) ? table.columns[name]?.values : undefined;
          if (!values) throw reject(Reason.NOT_FOUND, { message: "the column does not exist", field: "columns" });
          return [name, part.map((row) => values[row] ?? null)];
        }),
      ),
    };
  }
}
