import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { type ClosableTransport, connectTransport, reasonOf } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { action, defineExpert } from "./expert.ts";
import { type ExpertServer, serveExpert } from "./serve.ts";
import { executeRequest } from "./testing/run-action.ts";

let began = Promise.withResolvers<void>();
const one = (execute: () => Promise<Record<string, never>>) =>
  action({ capability: "test", input: z.object({}), output: z.object({}), execute });
const expert = defineExpert({
  name: "ServedExpert",
  version: "1.0.0",
  actions: {
    hang: one(() => {
      began.resolve();
      return new Promise(() => undefined);
    }),
    fail: one(async () => {
      throw new Error("jane.doe@example.com");
    }),
  },
});

describe("a served expert", () => {
  const logged: [object, string][] = [];
  let server: ExpertServer;
  let transport: ClosableTransport;

  beforeAll(async () => {
    const logger = {
      info: () => undefined,
      error: (fields: object, message: string) => void logged.push([fields, message]),
    };
    server = await serveExpert(expert, { host: "http://127.0.0.1:1", threads: 1, drainMs: 100, logger });
    transport = connectTransport(server.url);
  });
  afterAll(async () => {
    transport?.close();
    await server?.close();
  });

  async function execute(name: string, signal?: AbortSignal): Promise<ConnectError> {
    const request = executeRequest(name, {});
    const call = createClient(ExpertService, transport).execute(request, signal ? { signal } : {});
    try {
      for await (const _ of call);
    } catch (error) {
      return ConnectError.from(error);
    }
    throw new Error("it ended well");
  }

  test("logs no fault where its caller leaves", async () => {
    began = Promise.withResolvers();
    const leaving = new AbortController();
    const ended = execute("hang", leaving.signal);
    await began.promise;
    leaving.abort();
    expect((await ended).code).toBe(Code.Canceled);
    await sleep(200);
    expect(logged).toEqual([]);
  });

  test("fails as EXPERT_FAILED for what an action throws, which is logged and not answered", async () => {
    const error = await execute("fail");
    expect([reasonOf(error), error.message.includes("jane")]).toEqual([Reason.EXPERT_FAILED, false]);
    expect(logged.map(([, message]) => message)).toEqual(["the expert failed"]);
  });
});
