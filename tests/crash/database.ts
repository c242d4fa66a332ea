// What a crash test keeps in Postgres: a database of its own for the engines, and a table of the effects that experts had.
import { randomBytes } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema } from "@odg/proto/odg/run/v1/run_pb";
import pg from "pg";

/** An effect that an expert had, as the database saw it. */
export interface Effect {
  key: string;
  runId: string;
  taskId: string;
  attempt: number;
  /** Unix milliseconds. */
  at: number;
}

/** A database that nobody else uses. */
export class TestDatabase {
  readonly url: string;
  readonly #server: string;
  readonly #pool: pg.Pool;

  private constructor(server: string, url: string) {
    this.#server = server;
    this.url = url;
    this.#pool = new pg.Pool({ connectionString: url, max: 3, connectionTimeoutMillis: 30_000 });
    // The server may be restarted by the test; the next query says what is wrong, if something is.
    this.#pool.on("error", () => undefined);
  }

  /** @param options Words behind CREATE DATABASE, such as a tablespace. */
  static async create(server: string, options = ""): Promise<TestDatabase> {
    const name = `odg_crash_${randomBytes(6).toString("hex")}`;
    await once(server, `create database ${name} ${options}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    return new TestDatabase(server, url.href);
  }

  /** Makes the table that effect-expert writes to. */
  async countEffects(): Promise<void> {
    await this.query(`create table effects (
      id bigint generated always as identity primary key, key text not null, run_id uuid not null, task_id text not null,
      attempt integer not null, pid integer not null, at timestamptz not null default clock_timestamp())`);
  }

  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#pool.query<Row>(text, values)).rows;
  }

  /** Every run that a journal was begun for, oldest first. */
  async runIds(): Promise<string[]> {
    const rows = await this.query<{ run_id: string }>("select distinct run_id from run_events order by run_id");
    return rows.map(({ run_id }) => run_id);
  }

  /** The journal of a run, as its bytes stand in the table. */
  async journalOf(runId: string): Promise<Event[]> {
    const rows = await this.query<{ event: Buffer }>("select event from run_events where run_id = $1 order by seq", [
      runId,
    ]);
    return rows.map(({ event }) => fromBinary(EventSchema, event));
  }

  async effectsOf(runId: string): Promise<Effect[]> {
    const rows = await this.query<{ key: string; task_id: string; attempt: number; at: Date }>(
      "select key, task_id, attempt, at from effects where run_id = $1 order by id",
      [runId],
    );
    return rows.map(({ key, task_id, attempt, at }) => ({ key, runId, taskId: task_id, attempt, at: at.getTime() }));
  }

  async drop(): Promise<void> {
    await this.#pool.end();
    const { pathname } = new URL(this.url);
    await once(this.#server, `drop database if exists ${pathname.slice(1)} with (force)`);
  }
}

async function once(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
