import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema, type Run, RunSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { MemoryStore } from "../memory.ts";
import { MemoryDatabase } from "../memory-database.ts";
import { openPglite } from "../pglite.ts";
import { openPostgres } from "../postgres.ts";
import type { Store } from "../store.ts";

/** Of a Postgres server for tests; absent where there is none. */
export const postgresUrl = process.env.ODG_TEST_POSTGRES_URL;

/** A run that has begun. */
export function run(init: MessageInitShape<typeof RunSchema> = {}): Run {
  return create(RunSchema, {
    runId: uuidv7(),
    workflowId: "w",
    workflowVersion: "v",
    status: RunStatus.RUNNING,
    createTime: timestampFromMs(1_700_000_000_000),
    ...init,
  });
}

/** An event of a run. */
export function event(runId: string, seq: number): Event {
  return create(EventSchema, {
    runId,
    seq: BigInt(seq),
    time: timestampFromMs(1_700_000_000_000 + seq),
    kind: { case: "taskSkipped", value: { task: seq } },
  });
}

/** A place where several engines may open stores beside each other. */
export interface Shared {
  open(): Promise<Store>;
  /** As if the lease of an engine had run out. */
  expire(name: string): Promise<void>;
  close(): Promise<void>;
}

/** A database of its own in the Postgres of the tests. */
export async function temporaryDatabase(): Promise<{ url: string; query: pg.Client["query"]; drop(): Promise<void> }> {
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  const name = `odg_${randomUUID().replaceAll("-", "")}`;
  await admin.query(`create database ${name}`);
  const url = new URL(postgresUrl ?? "");
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  // It is dropped while stores that a failed test left open are connected.
  client.on("error", () => undefined);
  return {
    url: url.href,
    query: client.query.bind(client),
    drop: async () => {
      await client.end();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/** Every backend that engines may share. */
export const SHARED: Record<string, () => Promise<Shared>> = {
  memory: async () => {
    const database = new MemoryDatabase();
    return {
      open: async () => new MemoryStore(database),
      expire: async (name) => database.expire(name),
      close: async () => undefined,
    };
  },
  ...(postgresUrl ? { Postgres: sharedPostgres } : {}),
};

async function sharedPostgres(): Promise<Shared> {
  const { url, query, drop } = await temporaryDatabase();
  const opened: Store[] = [];
  return {
    open: async () => {
      const store = await openPostgres(url);
      opened.push(store);
      return store;
    },
    expire: async (name) =>
      void (await query("update engines set lease_until = now() - interval '1 s' where name = $1", [name])),
    close: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await drop();
    },
  };
}

/** Every backend, empty. */
export const BACKENDS: Record<string, () => Promise<{ store: Store; close(): Promise<void> }>> = {
  memory: async () => ({ store: new MemoryStore(), close: async () => undefined }),
  PGlite: async () => {
    const store = await openPglite();
    return { store, close: () => store.close() };
  },
  ...(postgresUrl ? { Postgres: emptyPostgres } : {}),
};

async function emptyPostgres(): Promise<{ store: Store; close(): Promise<void> }> {
  const shared = await sharedPostgres();
  return { store: await shared.open(), close: () => shared.close() };
}
