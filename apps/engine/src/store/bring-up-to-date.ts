import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "./migrations.ts";
import type { Tables } from "./tables.ts";
import { orStoreError, StoreUnavailable } from "./unavailable.ts";

/**
 * Brings the tables of a database up to date; several engines may do so at once, and wait for each other. It may take long: the connection
 * must have no limit on the time of a statement.
 *
 * @throws StoreUnavailable where the database does not answer; Error where its tables cannot be brought up to date
 */
export async function bringUpToDate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (!error) return;
  const away = orStoreError(error);
  if (away instanceof StoreUnavailable) throw away;
  throw new Error("the database's tables could not be brought up to date", { cause: error });
}
