import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PoolJob } from "../test/pool-worker.ts";
import { OffloadPool } from "./offload-pool.ts";
import { type ListeningTestHost, listenTestHost } from "./testing/test-host.ts";

const module = new URL("../test/pool-worker.ts", import.meta.url).href;
const tables = { "mem://t": { columns: { a: { type: "VARCHAR", values: ["x", "y", null, "x", "z"] } } } };
let listening: ListeningTestHost;
let pool: OffloadPool;
beforeAll(async () => {
  listening = await listenTestHost();
  pool = new OffloadPool(1);
});
afterAll(async () => {
  await pool.close();
  await listening.close();
});

function run(what: PoolJob["what"], options: { dataset?: string; token?: string; signal?: AbortSignal } = {}) {
  const { dataset = "mem://t", signal = new AbortController().signal } = options;
  const token = options.token ?? listening.host.grant({ tables, batchRows: 2 }).token;
  return pool.run({ module, input: { what, dataset }, hostUrl: listening.url, token, signal });
}

async function refusal(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("the threads of an expert outside of the engine", () => {
  test("read batches and distinct values from the host", async () => {
    expect(await run("first batch")).toEqual({ rowCount: 2, columns: { a: ["x", "y"] } });
    expect(await run("distinct")).toEqual([
      { value: "x", count: 2 },
      { value: "y", count: 1 },
    ]);
  });

  test("keep the reason of what the host refuses", async () => {
    expect(reasonOf(await refusal(run("first batch", { dataset: "mem://nowhere" })))).toBe(Reason.NOT_FOUND);
    expect(reasonOf(await refusal(run("first batch", { token: "forged" })))).toBe(Reason.UNAUTHENTICATED);
  });

  test("pass on what a worker throws", async () => {
    expect(await refusal(run("throw"))).toMatchObject({ name: "RangeError", message: "of the worker itself" });
  });

  test("tell a worker of an abort, and answer at once", async () => {
    const stop = new AbortController();
    const waiting = refusal(run("wait", { signal: stop.signal }));
    stop.abort(new Error("enough"));
    expect(await waiting).toMatchObject({ message: "enough" });
    expect(await run("distinct")).toHaveLength(2);
  });

  test("are ended where a worker does not stop, and there is one for the next", async () => {
    const stop = new AbortController();
    const spinning = refusal(run("spin", { signal: stop.signal }));
    const next = run("distinct");
    setTimeout(() => stop.abort(), 300);
    await spinning;
    expect(await next).toHaveLength(2);
  });

  test("are ended at the limit of their heap, with a reason", { timeout: 60_000 }, async () => {
    const hoarding = refusal(run("hoard"));
    const next = run("distinct");
    expect(reasonOf(await hoarding)).toBe(Reason.DATA_TOO_LARGE);
    expect(await next).toHaveLength(2);
  });
});
