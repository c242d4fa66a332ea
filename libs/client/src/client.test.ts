import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { RunService, type StartRunRequest, type WatchRunResponse } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { EventSchema, RunStatus, TaskCompletedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { inProcessTransport, type RpcServer, reasonOf, reject, startServer } from "@odg/rpc";
import { afterEach, describe, expect, it } from "vitest";
import { createClient, type OdgClient } from "./index.ts";

const RUN_ID = "01890a5d-ac96-774b-bcce-b302099a8057";
const LAST = 20n;
const quick = { firstWaitMs: 5, longestWaitMs: 20, giveUpMs: 2000 };

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

function eventMessage(seq: bigint) {
  const kind =
    seq === LAST
      ? { case: "runCompleted" as const, value: { status: RunStatus.SUCCEEDED } }
      : { case: "taskStarted" as const, value: { task: Number(seq) } };
  return { message: { case: "event" as const, value: create(EventSchema, { runId: RUN_ID, seq, kind }) } };
}

type Play = (
  afterSeq: bigint,
  connection: number,
  signal: AbortSignal,
) => AsyncIterable<ReturnType<typeof eventMessage> | Beat>;
type Beat = { message: { case: "heartbeat"; value: Record<never, never> } };
const beat: Beat = { message: { case: "heartbeat", value: {} } };

async function* honest(afterSeq: bigint, until = LAST) {
  for (let seq = afterSeq + 1n; seq <= until; seq++) yield eventMessage(seq);
}

/** An engine of one run whose stream is played by the test; it keeps what it was asked. */
class Engine {
  readonly started: StartRunRequest[] = [];
  readonly resumedAfter: bigint[] = [];
  failStarts = 0;
  private readonly play: Play;

  constructor(play: Play) {
    this.play = play;
  }

  routes = (router: Parameters<Parameters<typeof startServer>[0]["routes"]>[0]) => {
    router.service(RunService, {
      startRun: (request) => {
        this.started.push(request);
        if (this.failStarts-- > 0) throw reject(Reason.UNAVAILABLE);
        return { run: { runId: RUN_ID, status: RunStatus.RUNNING } };
      },
      getRun: () => ({ run: { runId: RUN_ID, status: RunStatus.SUCCEEDED, lastSeq: LAST } }),
      watchRun: ({ afterSeq }, context) => {
        this.resumedAfter.push(afterSeq);
        return this.play(afterSeq, this.resumedAfter.length, context.signal);
      },
    });
  };

  async client(options: { stallMs?: number } = {}): Promise<OdgClient> {
    const server = await startServer({ routes: this.routes, drainMs: 50, ...options });
    const client = createClient({ url: server.h2cUrl });
    closing.push(server, client);
    return client;
  }
}

async function seqs(messages: AsyncIterable<WatchRunResponse["message"]>): Promise<bigint[]> {
  const all: bigint[] = [];
  for await (const message of messages) if (message.case === "event") all.push(message.value.seq);
  return all;
}

const expected = (from = 1n) => Array.from({ length: Number(LAST - from + 1n) }, (_, i) => from + BigInt(i));

describe("watch", () => {
  it("delivers every event once and in order through dropped streams", async () => {
    const engine = new Engine(async function* (afterSeq, connection) {
      yield* honest(afterSeq, afterSeq + 3n < LAST ? afterSeq + 3n : LAST);
      if (afterSeq + 3n < LAST)
        throw connection % 2 ? reject(Reason.UNAVAILABLE) : new ConnectError("cut", Code.Aborted);
    });
    const client = await engine.client();
    expect(await seqs(client.watch(RUN_ID, quick))).toEqual(expected());
    expect(engine.resumedAfter).toEqual([0n, 3n, 6n, 9n, 12n, 15n, 18n]);
  });

  it("resumes when the server dies and another comes on its port", async () => {
    const dying = new Engine(async function* (_, __, signal) {
      yield* honest(0n, 7n);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    });
    const first = await startServer({ routes: dying.routes, drainMs: 0 });
    const client = createClient({ url: first.h2cUrl });
    closing.push(client);
    const got: bigint[] = [];
    let second: Promise<RpcServer> | undefined;
    const next = new Engine((afterSeq) => honest(afterSeq));
    for await (const message of client.watch(RUN_ID, quick)) {
      if (message.case !== "event") continue;
      got.push(message.value.seq);
      if (message.value.seq === 7n) {
        second = first
          .close()
          .then(() => startServer({ routes: next.routes, port: Number(new URL(first.h2cUrl).port) }));
      }
    }
    closing.push(await (second as Promise<RpcServer>));
    expect(got).toEqual(expected());
    expect(next.resumedAfter).toEqual([7n]);
  });

  it("drops what a server sends twice, and asks again where it leaves one out", async () => {
    const engine = new Engine(async function* (afterSeq, connection) {
      yield* honest(afterSeq > 2n ? afterSeq - 2n : 0n, 5n); // Repeats what came before.
      if (connection === 1)
        yield eventMessage(7n); // Leaves out 6.
      else yield* honest(5n);
    });
    const client = await engine.client();
    expect(await seqs(client.watch(RUN_ID, quick))).toEqual(expected());
    expect(engine.resumedAfter).toEqual([0n, 5n]);
  });

  it("begins after the number it is given", async () => {
    const client = await new Engine((afterSeq) => honest(afterSeq)).client();
    expect(await seqs(client.watch(RUN_ID, { ...quick, afterSeq: 12n }))).toEqual(expected(13n));
  });

  it("takes silence for a lost connection, and heartbeats for none", async () => {
    const engine = new Engine(async function* (afterSeq, connection, signal) {
      if (connection === 1) {
        yield* honest(0n, 2n);
        for (let i = 0; i < 4; i++) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          yield beat;
        }
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
      yield* honest(afterSeq);
    });
    const client = await engine.client();
    const began = performance.now();
    expect(await seqs(client.watch(RUN_ID, { ...quick, silenceMs: 150 }))).toEqual(expected());
    expect(engine.resumedAfter).toEqual([0n, 2n]);
    expect(performance.now() - began).toBeGreaterThan(350);
  });

  it("ends with the run where there is nothing left to send", async () => {
    const client = await new Engine(async function* () {}).client();
    expect(await seqs(client.watch(RUN_ID, { ...quick, afterSeq: LAST }))).toEqual([]);
  });

  it("does not take a stream that ends early for the end of the run", async () => {
    const engine = new Engine((afterSeq, connection) => honest(afterSeq, connection === 1 ? 5n : LAST));
    const client = await engine.client();
    expect(await seqs(client.watch(RUN_ID, quick))).toEqual(expected());
    expect(engine.resumedAfter).toEqual([0n, 5n]);
  });

  it("throws at once what does not pass", async () => {
    const engine = new Engine(async function* () {
      yield beat;
      throw reject(Reason.RESUME_EXPIRED);
    });
    const client = await engine.client();
    const error = await seqs(client.watch(RUN_ID, quick)).catch((e: unknown) => e);
    expect(reasonOf(error)).toBe(Reason.RESUME_EXPIRED);
    expect(engine.resumedAfter).toHaveLength(1);
  });

  it("resumes after the server has cut it off, however long its reader took", async () => {
    const summary = randomBytes(30_000).toString("hex"); // A few of these fill the buffers.
    const engine = new Engine(async function* (afterSeq) {
      for await (const { message } of honest(afterSeq)) {
        if (message.value.seq < LAST)
          message.value.kind = { case: "taskCompleted", value: create(TaskCompletedSchema, { summary }) };
        yield { message };
      }
    });
    const client = await engine.client({ stallMs: 200 });
    const got: bigint[] = [];
    for await (const message of client.watch(RUN_ID, { ...quick, giveUpMs: 300 })) {
      if (message.case === "event") got.push(message.value.seq);
      if (got.length === 2 || got.length === 12) await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    expect(got).toEqual(expected());
    expect(engine.resumedAfter.length).toBeGreaterThan(1);
  });

  it("gives up when nothing succeeds for long enough", async () => {
    const engine = new Engine(async function* () {
      yield* [];
      throw reject(Reason.UNAVAILABLE, { message: "Still gone." });
    });
    const client = await engine.client();
    const began = performance.now();
    const error = await seqs(client.watch(RUN_ID, { ...quick, giveUpMs: 200 })).catch((e: unknown) => e);
    expect(reasonOf(error)).toBe(Reason.UNAVAILABLE);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(engine.resumedAfter.length).toBeGreaterThan(3);
  });

  it("waits as long as a RetryInfo asks", async () => {
    const engine = new Engine(async function* (afterSeq, connection) {
      if (connection === 1) throw reject(Reason.UNAVAILABLE, { retryAfterMs: 300 });
      yield* honest(afterSeq);
    });
    const client = await engine.client();
    const began = performance.now();
    expect(await seqs(client.watch(RUN_ID, quick))).toEqual(expected());
    expect(performance.now() - began).toBeGreaterThan(290);
  });

  it("ends as CANCELLED when its signal is aborted, and the server's stream with it", async () => {
    const gone = Promise.withResolvers<void>();
    const engine = new Engine(async function* (_, __, signal) {
      yield* honest(0n, 2n);
      signal.addEventListener("abort", () => gone.resolve(), { once: true });
      await new Promise(() => undefined);
    });
    const client = await engine.client();
    const leave = new AbortController();
    const error = await (async () => {
      for await (const message of client.watch(RUN_ID, { ...quick, signal: leave.signal })) {
        if (message.case === "event" && message.value.seq === 2n) leave.abort();
      }
    })().catch((e: unknown) => e);
    expect(reasonOf(error)).toBe(Reason.CANCELLED);
    await gone.promise;
    expect(engine.resumedAfter).toHaveLength(1);
  });
});

describe("runAndWait", () => {
  const request = { source: { case: "workflowId" as const, value: "onboard_dataset" } };

  it("starts with one request_id however often it tries, tells each event, and answers the run", async () => {
    const engine = new Engine(async function* (afterSeq) {
      yield { message: { case: "ephemeral", value: { taskId: "a" } } } as never;
      yield* honest(afterSeq, afterSeq === 0n ? 9n : LAST);
      if (afterSeq === 0n) throw reject(Reason.UNAVAILABLE);
    });
    engine.failStarts = 2;
    const client = await engine.client();
    const events: bigint[] = [];
    let ephemerals = 0;
    const run = await client.runAndWait(request, {
      ...quick,
      onEvent: (event) => events.push(event.seq),
      onEphemeral: () => ephemerals++,
    });
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect(events).toEqual(expected());
    expect(ephemerals).toBe(2);
    const keys = engine.started.map((one) => one.requestId);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("keeps the caller's request_id, and throws a refusal as it is", async () => {
    const engine = new Engine((afterSeq) => honest(afterSeq));
    const client = await engine.client();
    await client.runAndWait({ ...request, requestId: RUN_ID }, quick);
    expect(engine.started[0]?.requestId).toBe(RUN_ID);
    const error = await client.runAndWait({ ...request, requestId: "no uuid" }, quick).catch((e: unknown) => e);
    expect(reasonOf(error)).toBe(Reason.FIELD_FORMAT);
    expect(engine.started).toHaveLength(1);
  });

  it("works in process as over the wire", async () => {
    const engine = new Engine((afterSeq) => honest(afterSeq));
    const client = createClient({ transport: inProcessTransport(engine.routes) });
    const events: bigint[] = [];
    await client.runAndWait(request, { ...quick, onEvent: (event) => events.push(event.seq) });
    expect(events).toEqual(expected());
  });

  it("says that the engine cannot be reached, when its patience is over", async () => {
    const client = createClient({ url: "http://127.0.0.1:1" });
    closing.push(client);
    const error = await client.runAndWait(request, { ...quick, giveUpMs: 100 }).catch((e: unknown) => e);
    expect(ConnectError.from(error).code).toBe(Code.Unavailable);
  });
});
