import { randomBytes } from "node:crypto";
import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { type DatasetLevel, HOST_TOKEN_HEADER, includesLevel, type Permissions } from "@odg/expert-plugin-api";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { HostService, ReadDatasetResponseSchema } from "@odg/proto/odg/expert/v1/expert_pb";
import { DatasetProfiledSchema } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import type { Batch, DatasetSession } from "../dataset/datasets.ts";
import type { ActiveRun } from "../run/active-run.ts";

/** What one attempt may ask of the engine. */
export interface Grant {
  run: ActiveRun;
  datasets: DatasetSession;
  /** Folder of the expert's package; empty where worker modules may not run here. */
  packageRoot: string;
  /** What the expert's package asked for. */
  permissions: Permissions;
  signal: AbortSignal;
  /** Told of every call: the expert is at work. */
  heard?: () => void;
}

/**
 * The one door through which experts ask back. Every call carries the token of its attempt; the token dies with the attempt.
 */
export class HostGate {
  readonly #prefix: string;
  #grants = new Map<string, Grant>();

  /** @param name By which experts with several engines know this one; it stands before its tokens. */
  constructor(name = "") {
    this.#prefix = name === "" ? "" : `${name}.`;
  }

  /** Lets an attempt in; answers its token. */
  grant(grant: Grant): string {
    const token = `${this.#prefix}${randomBytes(18).toString("base64url")}`;
    this.#grants.set(token, grant);
    return token;
  }

  revoke(token: string): void {
    this.#grants.delete(token);
  }

  #grantOf({ requestHeader }: HandlerContext): Grant {
    const grant = this.#grants.get(requestHeader.get(HOST_TOKEN_HEADER) ?? "");
    if (!grant)
      throw reject(Reason.UNAUTHENTICATED, { message: "the host token is unknown, or its attempt has ended" });
    grant.heard?.();
    return grant;
  }

  /** The grant of an attempt whose expert may see that much of datasets. */
  #dataGrantOf(call: HandlerContext, level: DatasetLevel): Grant {
    const grant = this.#grantOf(call);
    if (includesLevel(grant.permissions.datasets, level)) return grant;
    throw notAsked(`"datasets": "${level}"`);
  }

  /** HostService. */
  readonly routes = (router: ConnectRouter): void => {
    router.service(HostService, {
      getDataset: async ({ uri }, call) => ({ dataset: await this.#dataGrantOf(call, "metadata").datasets.open(uri) }),
      profileDataset: async ({ uri }, call) => ({ profile: await profile(this.#dataGrantOf(call, "read"), uri) }),
      listDocuments: async ({ uri, kind }, call) => ({
        documents: await this.#dataGrantOf(call, "metadata").datasets.documents(uri, kind || undefined),
      }),
      listDatasets: async ({ besideUri }, call) => ({
        datasets: await this.#dataGrantOf(call, "metadata").datasets.siblings(besideUri),
      }),
      readDataset: ({ uri, columns, sample }, call) => read(this.#dataGrantOf(call, "read"), { uri, columns, sample }),
      readDistinct: async ({ uri, column, limit }, call) => {
        const { datasets, signal } = this.#dataGrantOf(call, "read");
        const options = { ...(limit > 0 ? { limit } : {}), signal: AbortSignal.any([signal, call.signal]) };
        const values = await datasets.distinct(uri, column, options);
        return {
          values: values.map(({ value, count }) => ({
            value: fromJson(ValueSchema, (value ?? null) as JsonValue),
            count: BigInt(count),
          })),
        };
      },
      getContext: ({ keys }, call) => {
        const { context } = this.#grantOf(call).run.projection;
        const wanted = new Set(keys);
        return { entries: context.entries().filter(({ key }) => wanted.size === 0 || wanted.has(key)) };
      },
      offload: async ({ module, input }, call) => {
        const { datasets, packageRoot, permissions, signal } = this.#grantOf(call);
        if (!packageRoot)
          throw reject(Reason.POLICY_DENIED, { message: "this expert runs its workers in its own process" });
        const data = input ? toJson(ValueSchema, input) : null;
        const output = await datasets.offload(module, data, {
          packageRoot,
          mayRead: includesLevel(permissions.datasets, "read"),
          signal: AbortSignal.any([signal, call.signal]),
        });
        // What a thread answers may hold what JSON cannot, such as NaN; elsewhere it would have travelled as JSON.
        return { output: fromJson(ValueSchema, JSON.parse(JSON.stringify(output ?? null)) as JsonValue) };
      },
      generate: (_, call) => {
        if (!this.#grantOf(call).permissions.models) throw notAsked('"models": true');
        throw reject(Reason.MODEL_NOT_CONFIGURED, { message: "no model is configured in this engine" });
      },
      searchKnowledge: (_, call) => {
        this.#grantOf(call);
        throw reject(Reason.KNOWLEDGE_NOT_CONFIGURED, { message: "no knowledge base is configured in this engine" });
      },
    });
  };
}

function notAsked(permission: string) {
  return reject(Reason.POLICY_DENIED, {
    message: `the expert's package does not ask for ${permission}`,
    subject: "odg.permissions",
    hint: `Add ${permission} to odg.permissions in its package.json, if it needs that.`,
  });
}

async function profile({ run, datasets, signal }: Grant, uri: string) {
  const known = run.profiles.get(uri);
  if (known) return known;
  const found = await datasets.profile(uri, signal);
  // The journal keeps it, so that the report can be made again from the journal alone.
  if (!run.profiles.has(uri)) {
    run.profiles.set(uri, found);
    run.record({ case: "datasetProfiled", value: create(DatasetProfiledSchema, { profile: found }) });
  }
  return found;
}

async function* read(grant: Grant, { uri, columns, sample }: { uri: string; columns: string[]; sample: number }) {
  const options = { ...(columns.length > 0 ? { columns } : {}), ...(sample > 0 ? { sample } : {}) };
  for await (const batch of grant.datasets.read(uri, options, grant.signal)) {
    for (const part of sendable(batch)) {
      yield create(ReadDatasetResponseSchema, {
        rowCount: part.rowCount,
        columns: Object.entries(part.columns).map(([name, values]) => ({
          name,
          values: fromJson(ListValueSchema, values as JsonValue[]),
        })),
      });
    }
  }
}

/** Characters of one message, about: well below the 4 MiB that gRPC libraries read where nobody told them otherwise. */
const MESSAGE_CHARACTERS = 1_000_000;

/** The batch, cut where it is too large for one message. */
export function* sendable(batch: Batch): Generator<Batch> {
  if (batch.rowCount <= 1 || sizeOf(batch) <= MESSAGE_CHARACTERS) {
    yield batch;
    return;
  }
  const middle = Math.ceil(batch.rowCount / 2);
  yield* sendable(slice(batch, 0, middle));
  yield* sendable(slice(batch, middle, batch.rowCount));
}

function slice({ columns }: Batch, from: number, to: number): Batch {
  const parts = Object.entries(columns).map(([name, values]): [string, unknown[]] => [name, values.slice(from, to)]);
  return { rowCount: to - from, columns: Object.fromEntries(parts) };
}

function sizeOf({ columns }: Batch): number {
  let size = 0;
  for (const values of Object.values(columns)) for (const value of values) size += sizeOfValue(value);
  return size;
}

// A number takes 9 bytes as a Value, and every value 4 of framing.
function sizeOfValue(value: unknown): number {
  if (typeof value === "string") return value.length + 4;
  return Array.isArray(value) ? value.reduce((sum: number, one) => sum + sizeOfValue(one), 4) : 13;
}
