import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "@odg/proto/grpc/health/v1/health_pb";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { describe, expect, it } from "vitest";
import { beat, collect, hang, refusalOf, runs, serve, transportTo } from "../test/clients.ts";
import { RUN_ID } from "../test/wire.ts";
import { connectTransport, kDraining, reasonOf, reject } from "./index.ts";

describe("draining (F24)", () => {
  it("lets calls under way finish, turns health off, and takes no new ones", async () => {
    const release = Promise.withResolvers<void>();
    const server = await serve(
      {
        getRun: async ({ runId }) => {
          await release.promise;
          return { run: { runId } };
        },
      },
      { drainMs: 5000 },
    );
    const client = runs(server);
    const h1 = runs(server, { http1: true });
    const health = createClient(HealthService, transportTo(server));
    const statuses: Status[] = [];
    const watching = (async () => {
      for await (const { status } of health.watch({})) statuses.push(status);
    })();
    const calls = [client.getRun({ runId: RUN_ID }), h1.getRun({ runId: RUN_ID })];
    while (statuses.length === 0) await sleep(5);
    await sleep(30);
    const closed = server.close();
    await sleep(100);
    expect(statuses).toEqual([Status.SERVING, Status.NOT_SERVING]);
    await expect(createClient(RunService, connectTransport(server.h2cUrl)).listRuns({})).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    release.resolve();
    for (const answer of await Promise.all(calls)) expect(answer.run?.runId).toBe(RUN_ID);
    await Promise.all([closed, watching]);
  });

  it("answers UNAVAILABLE to what does not end in time", async () => {
    const server = await serve({ getRun: hang }, { drainMs: 100 });
    const call = refusalOf(runs(server).getRun({ runId: RUN_ID }));
    await sleep(50);
    const began = performance.now();
    await server.close();
    expect(performance.now() - began).toBeLessThan(1000);
    const error = await call;
    expect(reasonOf(error)).toBe(Reason.UNAVAILABLE);
  });

  it("tells watches at once, so that they end by themselves", async () => {
    const server = await serve(
      {
        async *watchRun(_, context) {
          yield beat;
          const draining = context.values.get(kDraining);
          await new Promise((resolve) => draining.addEventListener("abort", resolve, { once: true }));
          throw reject(Reason.UNAVAILABLE, { message: "Watch again." });
        },
      },
      { drainMs: 5000 },
    );
    const watching = refusalOf(collect(runs(server).watchRun({ runId: RUN_ID })));
    await sleep(50);
    const began = performance.now();
    await server.close();
    expect(performance.now() - began).toBeLessThan(1000);
    expect(reasonOf(await watching)).toBe(Reason.UNAVAILABLE);
  });

  it("loses no call of a client that keeps calling while one server goes and another comes", async () => {
    const first = await serve({}, { drainMs: 2000 });
    const port = Number(new URL(first.h2cUrl).port);
    const client = runs(first);
    let answered = 0;
    const failed: unknown[] = [];
    let going = true;
    const load = Array.from({ length: 8 }, async () => {
      while (going)
        await client.listRuns({}).then(
          () => answered++,
          (error: unknown) => failed.push(error),
        );
    });
    await sleep(100);
    const closed = first.close();
    const before = answered;
    await sleep(30);
    expect(failed.filter((error) => reasonOf(error) !== Reason.UNAVAILABLE)).toEqual([]);
    await closed;
    const second = await serve({}, { port });
    await sleep(200);
    going = false;
    await Promise.all(load);
    expect(answered).toBeGreaterThan(before);
    // What was under way when the server went was answered; only calls that found no server at all failed, as such.
    expect(new Set(failed.map((error) => ConnectError.from(error).code))).toEqual(
      failed.length ? new Set([Code.Unavailable]) : new Set(),
    );
    expect(second.h2cUrl).toBe(first.h2cUrl);
  });
});
