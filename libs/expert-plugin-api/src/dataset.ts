import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type ListValue, ListValueSchema } from "@bufbuild/protobuf/wkt";
import type { CallOptions, Client } from "@connectrpc/connect";
import {
  type DatasetProfile,
  type Document,
  DocumentKind,
  type Dataset as Handle,
} from "@odg/proto/odg/catalog/v1/dataset_pb";
import type { HostService, ReadDatasetResponse } from "@odg/proto/odg/expert/v1/expert_pb";
import type { Batch, ReadOptions } from "./worker.ts";

/** A dataset as an action sees it. Values that may point at a person are not in its profile. */
export interface Dataset {
  /** Name, format, size and contract: what is known without reading rows. */
  readonly info: Handle;
  /** Statistics of every leaf column; computed once per run, whoever asks first. */
  profile(): Promise<DatasetProfile>;
  /** Texts beside the data, in the order of their names. */
  documents(kind?: "sql" | "contract"): Promise<Document[]>;
  /** The other datasets in the same folder. */
  siblings(): Promise<Handle[]>;
  /** Rows, in batches. For more than a few thousand rows use `ctx.offload`, whose worker reads in its own thread. */
  read(options?: ReadOptions): AsyncIterable<Batch>;
}

/** The datasets that a task may use. */
export interface Datasets {
  /** @throws ConnectError with a reason such as NOT_FOUND, PATH_NOT_ALLOWED, DATA_CORRUPT. */
  open(uri: string): Promise<Dataset>;
}

const KINDS = { sql: DocumentKind.SQL, contract: DocumentKind.CONTRACT };

/** Datasets reached through HostService. */
export function hostDatasets(host: Client<typeof HostService>, options: CallOptions): Datasets {
  return {
    async open(uri) {
      const { dataset } = await host.getDataset({ uri }, options);
      if (!dataset) throw new TypeError("HostService.GetDataset answered no dataset");
      return {
        info: dataset,
        async profile() {
          const { profile } = await host.profileDataset({ uri }, options);
          if (!profile) throw new TypeError("HostService.ProfileDataset answered no profile");
          return profile;
        },
        documents: async (kind) =>
          (await host.listDocuments({ uri, kind: kind ? KINDS[kind] : DocumentKind.UNSPECIFIED }, options)).documents,
        siblings: async () => (await host.listDatasets({ besideUri: uri }, options)).datasets,
        async *read({ columns = [], sample = 0 } = {}) {
          yield* batchesOf(host.readDataset({ uri, columns, sample }, options));
        },
      };
    },
  };
}

/** Batches as they come over the wire. */
export async function* batchesOf(messages: AsyncIterable<ReadDatasetResponse>): AsyncGenerator<Batch, void, undefined> {
  for await (const { rowCount, columns } of messages) {
    yield { rowCount, columns: Object.fromEntries(columns.map(({ name, values }) => [name, listOf(values)])) };
  }
}

function listOf(values: ListValue | undefined): JsonValue[] {
  return values ? (toJson(ListValueSchema, values) as JsonValue[]) : [];
}
