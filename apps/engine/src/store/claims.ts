import pg from "pg";

/** Who drives a run, among the engines of one database. */
export interface Claims {
  /** Takes a run for this engine; false where another living engine has it. */
  claim(runId: string): Promise<boolean>;
  /** Gives a run back. */
  release(runId: string): Promise<void>;
  close(): Promise<void>;
}

/** For a store that only this process can open. */
export const soleClaims: Claims = {
  claim: async () => true,
  release: async () => undefined,
  close: async () => undefined,
};

// The first of two keys of an advisory lock tells our locks from those of other programs in the same database.
const LOCK_SPACE = 0x0d6;

/**
 * Claims as advisory locks of one Postgres connection: an engine that dies loses its connection, and with it its claims. The primary
 * key of the journal is what keeps two writers apart even where a connection was lost for a moment.
 */
export class PostgresClaims implements Claims {
  #url: string;
  #client: Promise<pg.Client> | undefined;
  #held = new Set<string>();

  constructor(url: string) {
    this.#url = url;
  }

  async claim(runId: string): Promise<boolean> {
    const taken = await this.#lock(await this.#connected(), runId);
    if (taken) this.#held.add(runId);
    return taken;
  }

  async release(runId: string): Promise<void> {
    if (!this.#held.delete(runId)) return;
    const client = await this.#connected();
    await client.query("select pg_advisory_unlock($1, hashtext($2))", [LOCK_SPACE, runId]);
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    this.#held.clear();
    await client?.end();
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.#connect();
    this.#client.catch(() => {
      this.#client = undefined;
    });
    return this.#client;
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 5000 });
    client.on("error", () => {
      this.#client = undefined;
    });
    await client.connect();
    // After a lost connection the claims are taken again; one that another engine took meanwhile stays with it.
    for (const runId of this.#held) {
      if (!(await this.#lock(client, runId))) this.#held.delete(runId);
    }
    return client;
  }

  async #lock(client: pg.Client, runId: string): Promise<boolean> {
    const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1, hashtext($2)) as taken", [
      LOCK_SPACE,
      runId,
    ]);
    return rows[0]?.taken === true;
  }
}
