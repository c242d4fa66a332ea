// A run by another platform's clients, over real sockets.
import { join } from "node:path";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  RunService,
  StartRunRequestSchema,
  StartRunResponseSchema,
  WatchRunRequestSchema,
  WatchRunResponseSchema,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gate, watchToEnd, workflowOf } from "./testing/index.ts";
import { probeTask, ServedEngine } from "./testing/served-engine.ts";

let served: ServedEngine;
beforeAll(async () => {
  served = await ServedEngine.start();
});
afterAll(() => served?.close());

describe("another platform's client", () => {
  it("starts and watches a run by @grpc/grpc-js", async () => {
    const client = new grpc.Client(new URL(served.server.h2cUrl).host, grpc.credentials.createInsecure());
    const opening = gate("grpc");
    try {
      const tasks = [
        probeTask("a", { action: "hold", inputs: { gate: "grpc" } }),
        probeTask("b", { depends_on: ["a"] }),
      ];
      const source = { case: "workflow" as const, value: workflowOf(tasks) };
      const started = await unary(client, "StartRun", {
        request: [StartRunRequestSchema, { source }],
        answer: StartRunResponseSchema,
      });
      const kinds: string[] = [];
      const stream = client.makeServerStreamRequest(
        `/${RunService.typeName}/WatchRun`,
        (message: Uint8Array) => Buffer.from(message),
        (bytes: Buffer) => fromBinary(WatchRunResponseSchema, bytes),
        toBinary(WatchRunRequestSchema, create(WatchRunRequestSchema, { runId: started.run?.runId ?? "" })),
      );
      await opening.arrivals(1);
      opening.open();
      for await (const { message } of stream) if (message.case === "event") kinds.push(message.value.kind.case ?? "");
      expect(kinds).toEqual([
        "runStarted",
        "taskStarted",
        "taskCompleted",
        "taskStarted",
        "taskCompleted",
        "runCompleted",
      ]);
    } finally {
      client.close();
    }
  });

  it("gets a report as JSON by fetch", async () => {
    const answer = await served.onboard(join(served.lake, "orders.parquet"));
    const { runId } = answer.json.run as { runId: string };
    await watchToEnd(served.runs, runId);
    const got = await served.call("RunService/GetReport", { run_id: runId, format: "REPORT_FORMAT_MARKDOWN" });
    expect(got.status).toBe(200);
    expect((got.json.report as { findings: unknown[] }).findings.length).toBeGreaterThan(3);
    expect(String(got.json.rendered)).toContain("# ");
  });
});

interface Exchange<I extends DescMessage, O extends DescMessage> {
  request: [I, MessageInitShape<I>];
  answer: O;
}

function unary<I extends DescMessage, O extends DescMessage>(
  client: grpc.Client,
  method: string,
  { request: [schema, init], answer }: Exchange<I, O>,
): Promise<MessageShape<O>> {
  return new Promise((resolve, refuse) => {
    client.makeUnaryRequest(
      `/${RunService.typeName}/${method}`,
      (message: Uint8Array) => Buffer.from(message),
      (bytes: Buffer) => fromBinary(answer, bytes),
      toBinary(schema, create(schema, init)),
      (error, value) => (value === undefined ? refuse(error) : resolve(value)),
    );
  });
}
