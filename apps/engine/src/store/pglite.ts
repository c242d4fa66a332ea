import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import { bringUpToDate } from "./bring-up-to-date.ts";
import type { Connections, Row, Statement } from "./connections.ts";
import { SqlStore } from "./sql.ts";
import { StoreInUse } from "./store-in-use.ts";
import type { Tables } from "./tables.ts";

/**
 * A store in a folder of this machine, or in memory where none is named.
 *
 * @throws StoreInUse where a living process has the folder open.
 */
export async function openPglite(folder?: string): Promise<SqlStore> {
  if (!folder) return openDatabase(new PGlite());
  mkdirSync(folder, { recursive: true });
  const release = lock(folder);
  try {
    const files = join(folder, "pg");
    if (!existsSync(join(files, "PG_VERSION"))) await createFiles(files);
    const store = await openDatabase(new PGlite(files));
    const close = store.close.bind(store);
    store.close = () => close().finally(release);
    return store;
  } catch (error) {
    release();
    throw error;
  }
}

async function openDatabase(pglite: PGlite): Promise<SqlStore> {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
  try {
    await bringUpToDate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const store = new SqlStore(db, new PgliteConnections(pglite));
  // Whoever else had the folder open is gone, and need not be waited for.
  await pglite.query("delete from engines");
  return store;
}

/** The one connection that there is. */
class PgliteConnections implements Connections {
  readonly lanes = 1;
  #pglite: PGlite;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  async query({ text }: Statement, parameters: readonly unknown[]): Promise<Row[]> {
    return (await this.#pglite.query<Row>(text, [...parameters])).rows;
  }

  async listen(channel: string, callback: () => void): Promise<void> {
    await this.#pglite.listen(channel, callback);
  }

  /** It is closed with the dialect. */
  async close(): Promise<void> {}
}

/** One laptop's worth: the default of 128 MB is for servers. */
const SETTINGS = ["shared_buffers=8MB"];

/** In a folder of another name first, so that a creation cut short leaves nothing that looks like a database. */
async function createFiles(files: string): Promise<void> {
  const draft = `${files}.new`;
  rmSync(draft, { recursive: true, force: true });
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./create-pglite.${extension}`, import.meta.url), {
    workerData: { folder: draft, settings: SETTINGS },
  });
  await once(worker, "message");
  await worker.terminate();
  renameSync(draft, files);
}

/** Folders that this process has open: a pid file with our own pid is stale where the folder is not among them. */
const open = new Set<string>();

/** Takes the folder for this process. The file holds the owner's pid; a dead owner's file is taken over. */
function lock(folder: string): () => void {
  const file = join(folder, "engine.pid");
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      open.add(file);
      const release = () => {
        open.delete(file);
        rmSync(file, { force: true });
      };
      process.once("exit", release);
      return () => {
        process.removeListener("exit", release);
        release();
      };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST") || tries > 2) throw error;
      const pid = Number(readFileSync(file, "utf8"));
      if (pid === process.pid ? open.has(file) : isAlive(pid)) throw new StoreInUse(folder, pid);
      rmSync(file, { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
