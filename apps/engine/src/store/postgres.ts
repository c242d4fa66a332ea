import { PostgresDialect } from "kysely";
import pg from "pg";
import { PostgresClaims } from "./claims.ts";
import { SqlStore } from "./sql.ts";

/** A store in a Postgres server. `url` is a connection string; it may hold a password and is never logged. */
export async function openPostgres(url: string, options: { connections?: number } = {}): Promise<SqlStore> {
  const pool = new pg.Pool({ connectionString: url, max: options.connections ?? 10, connectionTimeoutMillis: 5000 });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  // So would one that breaks between two statements of a transaction, which the pool does not listen to: the next statement tells.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return SqlStore.open(new PostgresDialect({ pool }), new PostgresClaims(url));
}
