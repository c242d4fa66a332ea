// F24 on real processes: SIGTERM under load, with two engines on one Postgres.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient as createServiceClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { createClient, type OdgClient } from "@odg/client";
import { workflowOf } from "@odg/engine/testing";
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "@odg/proto/grpc/health/v1/health_pb";
import { ListRunsRequestSchema, ListRunsResponseSchema, RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { connectTransport } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serviceUrl } from "../../tools/services/endpoints.ts";
import { balancedClient, beginLoad, Pair, unfinished } from "./rolling.ts";

const REQUESTS = 5_000;
/** In which a channel of grpc-js has found an engine again that came back. */
const RECONNECT_MS = 2_000;
const postgres = serviceUrl("postgres");

describe.skipIf(!postgres)("two engines that are restarted in turn", () => {
  let pair: Pair;
  let client: OdgClient;

  beforeAll(async () => {
    pair = await Pair.start(postgres ?? "");
    client = balancedClient(pair);
  });
  afterAll(async () => {
    client?.close();
    await pair?.close();
  });

  test("answer every request of a client that balances over both, and lose no run", { timeout: 180_000 }, async () => {
    const { load, end } = beginLoad(client, 8);
    do await pair.roll();
    while (load.answered < REQUESTS);
    await end();
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThanOrEqual(REQUESTS);
    // What was under way at an engine that stopped is taken up by it when it is back.
    await expect.poll(() => unfinished(client, load.runIds), { timeout: 30_000 }).toEqual([]);
  });

  test("answer every request of grpc-js, by round robin and its own retries", { timeout: 60_000 }, async () => {
    const addresses = pair.replicas.map(({ port }) => `127.0.0.1:${port}`).join(",");
    const caller = new grpc.Client(`ipv4:${addresses}`, grpc.credentials.createInsecure(), {
      "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": RECONNECT_MS / 2,
    });
    const state = { going: true, answered: 0, failures: [] as string[] };
    const work = async () => {
      while (state.going)
        await listRuns(caller).then(
          () => state.answered++,
          (error: unknown) => state.failures.push(String(error)),
        );
    };
    const working = Array.from({ length: 4 }, work);
    await pair.roll(RECONNECT_MS);
    state.going = false;
    await Promise.all(working);
    caller.close();
    expect(state.failures).toEqual([]);
    expect(state.answered).toBeGreaterThan(100);
  });

  test("deliver every event of a run once, though its engine goes and comes back", { timeout: 60_000 }, async () => {
    const [driver, other] = pair.replicas;
    const workflow = workflowOf([
      ...Array.from({ length: 20 }, (_, i) => ({
        id: `n${i}`,
        expert: "ProbeExpert",
        action: "nap",
        inputs: { ms: 20 },
      })),
      { id: "long", expert: "ProbeExpert", action: "nap", inputs: { ms: 3000 } },
    ]);
    const direct = createClient({ url: driver.url });
    const elsewhere = createClient({ url: other.url });
    const { runId } = await direct.startRun({ source: { case: "workflow", value: workflow } });
    const follow = async (by: OdgClient) => {
      const seqs: bigint[] = [];
      let end = "";
      for await (const message of by.watch(runId)) {
        if (message.case !== "event") continue;
        seqs.push(message.value.seq);
        end = message.value.kind.case ?? "";
      }
      return { end, whole: seqs.every((seq, i) => seq === BigInt(i + 1)) };
    };
    const followers = [follow(client), follow(direct), follow(elsewhere)];
    await driver.stop();
    await driver.start();
    for (const outcome of await Promise.all(followers)) expect(outcome).toEqual({ end: "runCompleted", whole: true });
    for (const one of [direct, elsewhere]) one.close();
  });

  test("say that they take no calls before they go", { timeout: 30_000 }, async () => {
    const [replica] = pair.replicas;
    const transport = connectTransport(replica.url);
    const statuses: Status[] = [];
    const watching = (async () => {
      for await (const { status } of createServiceClient(HealthService, transport).watch({})) statuses.push(status);
    })();
    await expect.poll(() => statuses).toEqual([Status.SERVING]);
    await replica.stop();
    await watching;
    transport.close();
    expect(statuses).toEqual([Status.SERVING, Status.NOT_SERVING]);
    await replica.start();
  });
});

/** Reads may be repeated by the channel itself: https://grpc.io/docs/guides/retry/ */
const SERVICE_CONFIG = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service: RunService.typeName }],
      waitForReady: true,
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.05s",
        maxBackoff: "0.5s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};

function listRuns(client: grpc.Client): Promise<unknown> {
  return new Promise((resolve, refuse) => {
    client.makeUnaryRequest(
      `/${RunService.typeName}/ListRuns`,
      (message: Uint8Array) => Buffer.from(message),
      (bytes: Buffer) => fromBinary(ListRunsResponseSchema, bytes),
      toBinary(ListRunsRequestSchema, create(ListRunsRequestSchema, { pageSize: 2 })),
      (error, value) => (value === undefined ? refuse(error) : resolve(value)),
    );
  });
}
