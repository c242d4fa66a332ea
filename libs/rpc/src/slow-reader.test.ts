// F23: callers who do not read, by both versions of HTTP.
import { constants } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import type { WatchRunResponse } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { describe, expect, it } from "vitest";
import { closing, refusalOf, runs, serve } from "../test/clients.ts";
import { type PausedWatcher, pausedByHttp1, pausedByHttp2 } from "../test/paused.ts";
import { memoryLogger, RUN_ID } from "../test/wire.ts";
import { type RpcServer, reasonOf, type ServerOptions } from "./index.ts";

const PAD = "x".repeat(1000);
/** What may lie in the buffers of two sockets on one machine, and in Node's; measured 4 MB by HTTP/1.1 and 65 KB by HTTP/2. */
const BUFFERS = 16_000;

/** A server whose watch never ends and yields as fast as it may. */
async function endless(options: Partial<ServerOptions> = {}) {
  const state = { sent: 0, ended: 0 };
  const logger = memoryLogger();
  const server = await serve(
    {
      async *watchRun() {
        try {
          for (;;) {
            yield { message: { case: "event" as const, value: { runId: PAD, seq: BigInt(++state.sent) } } };
            if (state.sent % 64 === 0) await sleep(0);
          }
        } finally {
          state.ended++;
        }
      },
    },
    { logger, ...options },
  );
  return { server, state, logger };
}

async function standsStill(state: { sent: number }): Promise<number> {
  for (let before = -1; before !== state.sent; await sleep(200)) before = state.sent;
  return state.sent;
}

const PROTOCOLS = [
  { name: "HTTP/2", paused: pausedByHttp2, cut: constants.NGHTTP2_ENHANCE_YOUR_CALM },
  { name: "HTTP/1.1", paused: pausedByHttp1, cut: "closed" },
] as const;

describe.each(PROTOCOLS)("a caller by $name who does not read", ({ paused, cut }) => {
  const open = (server: RpcServer): PausedWatcher => {
    const watcher = paused(server, { runId: RUN_ID });
    closing.push({ close: () => watcher.leave() });
    return watcher;
  };

  it("holds its handler back, so that nothing piles up in memory", async () => {
    const { server, state } = await endless();
    const watcher = open(server);
    while (state.sent === 0) await sleep(10);
    const held = await standsStill(state);
    expect(held).toBeLessThan(BUFFERS);
    watcher.resume();
    while (state.sent < held + 1000) await sleep(10);
    expect(watcher.bytes).toBeGreaterThan(0);
  });

  it("is cut off after a while, and its handler ends", async () => {
    const { server, state, logger } = await endless({ stallMs: 300 });
    const watcher = open(server);
    await expect.poll(() => state.ended, { timeout: 5000 }).toBe(1);
    watcher.resume(); // A paused socket would not notice.
    expect(await watcher.ended).toBe(cut);
    expect(logger.lines.map(({ message }) => message)).toEqual(["cut a caller off who does not read the answer"]);
  });

  it("is not cut off as long as it takes a message now and then", async () => {
    const { server, state } = await endless({ stallMs: 800 });
    const watcher = open(server);
    while (state.sent === 0) await sleep(10);
    const held = await standsStill(state);
    for (let i = 0; i < 6; i++) {
      await sleep(300);
      const before = state.sent;
      watcher.resume();
      while (state.sent < before + 100) await sleep(5);
      watcher.pause();
    }
    expect(state.ended).toBe(0);
    expect(state.sent).toBeGreaterThan(held);
  });

  it("does not hold up the end of the server", async () => {
    const { server, state } = await endless({ drainMs: 20_000 });
    open(server);
    while (state.sent === 0) await sleep(10);
    await standsStill(state);
    const began = performance.now();
    await server.close();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(state.ended).toBe(1);
  });

  it("leaves nothing behind when it goes", async () => {
    const { server, state } = await endless();
    const watcher = open(server);
    while (state.sent === 0) await sleep(10);
    await standsStill(state);
    watcher.leave();
    await expect.poll(() => state.ended, { timeout: 5000 }).toBe(1);
  });
});

it("a client that was cut off is told UNAVAILABLE, since it may watch again", async () => {
  const { server } = await endless({ stallMs: 200 });
  const stream: AsyncIterable<WatchRunResponse> = runs(server).watchRun({ runId: RUN_ID });
  const slowly = (async () => {
    for await (const _ of stream) await sleep(1500);
  })();
  const error = await refusalOf(slowly);
  expect(reasonOf(error)).toBe(Reason.UNAVAILABLE);
  expect(error.rawMessage).toContain("not read");
});
