import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Connections, Row, Statement } from "./connections.ts";
import { SqlJournal } from "./journal-sql.ts";
import { openPostgres } from "./postgres.ts";
import { JournalConflict, type Store } from "./store.ts";
import { event, postgresUrl, run, temporaryDatabase } from "./testing/fixtures.ts";
import { orStoreError, StoreFull, StoreUnavailable } from "./unavailable.ts";

/** A database that fails by script, then takes everything. */
class Failing implements Connections {
  readonly lanes = 2;
  tries = 0;
  #faults: unknown[];
  constructor(faults: unknown[]) {
    this.#faults = faults;
  }
  async query(_: Statement, parameters: readonly unknown[]): Promise<Row[]> {
    this.tries++;
    const fault = this.#faults.shift();
    if (fault) throw fault;
    const count = String(parameters[0]).split(",").length;
    return Array.from({ length: count }, (_, i) => ({ n: i + 1 }));
  }
  async listen(): Promise<void> {}
  async close(): Promise<void> {}
}

const coded = (code: string, message = "as the server says") => Object.assign(new Error(message), { code });

function appendTo(journal: SqlJournal) {
  const one = run();
  return journal.append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
}

describe("a commit that the database undid", () => {
  test("is made again where another transaction was the reason", async () => {
    const connections = new Failing([coded("40001"), coded("40P01"), coded("40001"), coded("40001"), coded("40P01")]);
    await appendTo(new SqlJournal(connections));
    expect(connections.tries).toBe(6);
  });

  test("is given back to its driver after five more tries", async () => {
    const connections = new Failing(Array.from({ length: 6 }, () => coded("40001")));
    await expect(appendTo(new SqlJournal(connections))).rejects.toThrow(StoreUnavailable);
    expect(connections.tries).toBe(6);
  });

  test.each([
    coded("53100", "could not extend file"),
    coded("ENOSPC"),
    new Error("could not write: No space left on device"),
  ])("says that the store is full: %s", async (fault) => {
    const connections = new Failing([fault]);
    const journal = new SqlJournal(connections);
    await expect(appendTo(journal)).rejects.toThrow(StoreFull);
    await appendTo(journal);
  });

  test("is no conflict where the database is away", async () => {
    for (const code of ["ECONNREFUSED", "57P01", "57014", "08006", "55P03"]) {
      const outcome = appendTo(new SqlJournal(new Failing([coded(code)])));
      await expect(outcome).rejects.toThrow(StoreUnavailable);
      await expect(outcome).rejects.not.toThrow(JournalConflict);
    }
  });
});

describe.skipIf(!postgresUrl)("a Postgres in trouble", () => {
  let database: Awaited<ReturnType<typeof temporaryDatabase>>;
  let proxy: Wire;
  let store: Store;

  beforeEach(async () => {
    database = await temporaryDatabase();
    proxy = await Wire.to(database.url);
    store = await openPostgres(proxy.url);
  });
  afterEach(async () => {
    proxy.up();
    await store.close();
    await database.drop();
    proxy.close();
  });

  async function append(seq: number, one: ReturnType<typeof run>) {
    await store.append({ runId: one.runId, events: [event(one.runId, seq)], run: one });
  }

  test("takes an append after it was gone, and is said to be unavailable meanwhile", async () => {
    const one = run();
    await append(1, one);
    proxy.down();
    await expect(append(2, one)).rejects.toThrow(StoreUnavailable);
    await expect(append(2, one)).rejects.toThrow(StoreUnavailable);
    proxy.up();
    await append(2, one);
    expect(await store.readEvents(one.runId, 0n)).toHaveLength(2);
  });

  test("hands a run to this engine that it may have begun without knowing", async () => {
    await store.attach({ name: "doubtful" });
    const { rows } = await database.query<{ fence: string }>("select fence from engines where name = 'doubtful'");
    const one = run();
    proxy.swallowAnswers();
    const begun = store.append({
      runId: one.runId,
      fence: BigInt(rows[0]!.fence),
      events: [event(one.runId, 1)],
      run: one,
    });
    await until(async () => (await database.query("select from runs where run_id = $1", [one.runId])).rowCount === 1);
    proxy.down();
    await expect(begun).rejects.toThrow(StoreUnavailable);
    proxy.up();
    expect((await persist(() => store.takeRuns(10))).map(({ runId }) => runId)).toEqual([one.runId]);
    expect(await store.takeRuns(10)).toEqual([]);
  });

  test("is not serving while it is slow, and serves again after that", async () => {
    await store.attach({ name: "slow" });
    await until(async () => store.serving());
    proxy.delayMs = 1500;
    await until(async () => !store.serving());
    // Appends wait, they do not fail.
    const one = run();
    await append(1, one);
    proxy.delayMs = 0;
    await until(async () => store.serving());
  }, 20_000);

  test("takes no more connections than it was given", async () => {
    await store.close();
    store = await openPostgres(proxy.url, { connections: 3 });
    proxy.delayMs = 50;
    const reads = Array.from({ length: 50 }, () => store.getRun(run().runId));
    const appends = Array.from({ length: 50 }, () => append(1, run()));
    await Promise.all([...reads, ...appends]);
    // Three to read by, two to commit by.
    expect(proxy.most).toBeLessThanOrEqual(5);
  });

  test("lets go of a store whose server does not hear that it is closed", async () => {
    await store.attach({ name: "leaving" });
    proxy.freeze();
    await store.close();
    proxy.up();
    store = await openPostgres(proxy.url);
  }, 20_000);

  test("stops a statement that waits for a lock, and takes it when the lock is gone", async () => {
    const one = run();
    await append(1, one);
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query("begin; lock table run_events in exclusive mode");
    await expect(append(2, one)).rejects.toThrow(StoreUnavailable);
    await other.end();
    await append(2, one);
    expect(await store.readEvents(one.runId, 0n)).toHaveLength(2);
  }, 20_000);
});

/** A wire to a Postgres that can be cut, slowed down, and made deaf. */
class Wire {
  url = "";
  delayMs = 0;
  /** Connections at once, at most, so far. */
  most = 0;
  #server = createServer();
  #sockets = new Set<Socket>();
  #down = false;
  #deaf = false;
  #frozen = false;

  static async to(target: string): Promise<Wire> {
    const proxy = new Wire();
    const { hostname, port } = new URL(target);
    proxy.#server.on("connection", (client) => proxy.#join(client, connect(Number(port), hostname)));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    const url = new URL(target);
    url.port = String((proxy.#server.address() as { port: number }).port);
    proxy.url = url.href;
    return proxy;
  }

  #join(client: Socket, server: Socket): void {
    if (this.#down) {
      client.destroy();
      server.destroy();
      return;
    }
    this.#sockets.add(client);
    this.most = Math.max(this.most, this.#sockets.size);
    client.on("data", (data) => {
      if (!this.#frozen) setTimeout(() => server.write(data), this.delayMs);
    });
    server.on("data", (data) => {
      if (!this.#deaf && !this.#frozen) client.write(data);
    });
    const end = () => {
      if (this.#frozen) return;
      this.#sockets.delete(client);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("close", end).on("error", end);
  }

  down(): void {
    this.#down = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  up(): void {
    this.#down = false;
    this.#deaf = false;
    this.#frozen = false;
  }

  swallowAnswers(): void {
    this.#deaf = true;
  }

  /** Nothing comes through any more, not even that a side has left. */
  freeze(): void {
    this.#frozen = true;
  }

  close(): void {
    this.down();
    this.#server.close();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Asks again where a connection turns out to be dead. */
async function persist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(orStoreError(error) instanceof StoreUnavailable)) throw error;
    }
  }
}
