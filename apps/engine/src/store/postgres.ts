import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { bringUpToDate } from "./bring-up-to-date.ts";
import type { Connections, Row, Statement } from "./connections.ts";
import { SqlStore } from "./sql.ts";
import type { Tables } from "./tables.ts";
import { orStoreError } from "./unavailable.ts";

/** Commits under way at once: while one waits for the disk, the next one is made ready. */
const LANES = 2;
/** Connections for everything else. */
const CONNECTIONS = 10;
/** For a connection to be made or to become free. */
const CONNECT_MS = 5000;
/** Unused connections are kept that long: making one takes a slow database several round trips. */
const IDLE_MS = 60_000;
/** A statement that takes longer is stopped by the server. */
const STATEMENT_MS = 5000;
/** After this the connection is given up: the server should have said something by then. */
const ANSWER_MS = STATEMENT_MS + 1000;
/** For saying good-bye to a server that may not hear it. */
const END_MS = 2000;
/** Before a lost connection for notifications is made again. */
const LISTEN_AGAIN_MS = 1000;

/**
 * A store in a Postgres server. `url` is a connection string; it may hold a password and is never logged.
 *
 * @throws StoreUnavailable where the database does not answer; Error where its tables cannot be brought up to date
 */
export async function openPostgres(url: string, options: { connections?: number } = {}): Promise<SqlStore> {
  const upgrade = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: poolOf(url, 2, UNLIMITED) }) });
  await bringUpToDate(upgrade).finally(() => upgrade.destroy());
  const connections = new PostgresConnections(url);
  const pool = poolOf(url, options.connections ?? CONNECTIONS);
  const store = new SqlStore(new Kysely({ dialect: new PostgresDialect({ pool }) }), connections);
  try {
    await connections.warm();
    return store;
  } catch (error) {
    await store.close();
    throw orStoreError(error);
  }
}

/** New tables and indexes take their time. */
const UNLIMITED = { statement_timeout: 0, query_timeout: 0 };

/** Waits for the end of connections, but not for ever. */
async function inTime(ended: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, END_MS);
  });
  await Promise.race([ended, late]).finally(() => clearTimeout(timer));
}

function poolOf(url: string, max: number, more: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: ANSWER_MS,
    ...more,
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  // So would one that breaks between two statements of a transaction, where the pool does not listen: the next statement tells.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const end: () => Promise<void> = pool.end.bind(pool);
  return Object.assign(pool, { end: () => inTime(end()) });
}

/** One plan for all batches; it must not read a whole table because that was small when the plan was made. */
const COMMIT_SETTINGS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off";

class PostgresConnections implements Connections {
  readonly lanes = LANES;
  #url: string;
  #pool: pg.Pool;
  #listener: pg.Client | undefined;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(url: string) {
    this.#url = url;
    this.#pool = poolOf(url, LANES, { options: COMMIT_SETTINGS, idleTimeoutMillis: 0 });
  }

  /** Makes all connections that commits need; they are kept. */
  async warm(): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.#pool.query("select 1")));
  }

  async query({ name, text }: Statement, parameters: readonly unknown[]): Promise<Row[]> {
    const { rows } = await this.#pool.query<Row>({ name, text, values: [...parameters] });
    return rows;
  }

  async listen(channel: string, callback: () => void): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: CONNECT_MS });
    this.#listener = client;
    client.on("notification", callback);
    client.on("error", () => this.#listenAgain(client, () => this.listen(channel, callback)));
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch {
      // What is missed until then is found by those who look from time to time.
      this.#listenAgain(client, () => this.listen(channel, callback));
    }
  }

  #listenAgain(client: pg.Client, listen: () => Promise<void>): void {
    if (this.#closed || this.#listener !== client) return;
    this.#listener = undefined;
    this.#again = setTimeout(() => void listen(), LISTEN_AGAIN_MS).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#again);
    await inTime(Promise.all([this.#pool.end(), this.#listener?.end()]));
  }
}
