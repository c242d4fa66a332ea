import { setTimeout as sleep } from "node:timers/promises";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { executeRequest } from "@odg/expert-plugin-api/testing";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type ExecuteResponse, ExpertService, HostService } from "@odg/proto/odg/expert/v1/expert_pb";
import { type ClosableTransport, connectTransport, type RpcServer, reasonOf, startServer } from "@odg/rpc";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toolPath } from "../../tools/services/endpoints.ts";
import { type PythonExample, type PythonServer, preparedExample, startPython } from "./python-expert.ts";

const python = toolPath("python");
const TOKEN = "a token of the test";
const SECRET = "jane.doe@example.com";
const request = { ...executeRequest("measure_texts", { dataset: "places" }), hostToken: "the attempt's" };
const dataset = { name: "places" };
const profile = { rowCount: 2n, columns: [{ name: "city", type: "VARCHAR" }] };

describe.skipIf(!python)("an attempt of the Python expert", () => {
  let example: PythonExample;
  let host: RpcServer;
  let server: PythonServer;
  let transport: ClosableTransport;
  let answers: Partial<ServiceImpl<typeof HostService>>;

  beforeAll(async () => {
    example = await preparedExample(python ?? "");
    const seen: Partial<ServiceImpl<typeof HostService>> = {
      getDataset: (call, context) => answers.getDataset?.(call, context) ?? { dataset },
      profileDataset: () => ({ profile }),
      readDataset: (call, context) => answers.readDataset?.(call, context) ?? nothing(),
    };
    host = await startServer({ routes: (router) => router.service(HostService, seen), drainMs: 100 });
    server = await startPython(python ?? "", example.folder, { host: host.h2cUrl, token: TOKEN });
  });
  beforeEach(() => {
    answers = {};
    transport = connectTransport(`http://${server.address}`, { token: TOKEN });
  });
  afterEach(() => transport.close());
  afterAll(async () => {
    await server?.stop();
    await host?.close();
    await example?.remove();
  });

  async function execute(options: { signal?: AbortSignal; timeoutMs?: number } = {}): Promise<ExecuteResponse[]> {
    const said: ExecuteResponse[] = [];
    for await (const message of createClient(ExpertService, transport).execute(request, options)) said.push(message);
    return said;
  }

  test("calls the engine with its token and its deadline", async () => {
    let seen: HandlerContext | undefined;
    answers.getDataset = (_, context) => {
      seen = context;
      return { dataset };
    };
    await execute({ timeoutMs: 5_000 });
    expect(seen?.requestHeader.get("x-odg-host-token")).toBe("the attempt's");
    expect(seen?.timeoutMs()).toBeGreaterThan(3_000);
    expect(seen?.timeoutMs()).toBeLessThanOrEqual(5_000);
  });

  test("ends its calls to the engine when it is cancelled", async () => {
    const called = Promise.withResolvers<AbortSignal>();
    answers.readDataset = (_, { signal }) => {
      called.resolve(signal);
      return hanging(signal);
    };
    const leaving = new AbortController();
    const ended = execute({ signal: leaving.signal }).catch((error: unknown) => ConnectError.from(error).code);
    const signal = await called.promise;
    leaving.abort();
    expect(await ended).toBe(Code.Canceled);
    await expect.poll(() => signal.aborted, { timeout: 2_000 }).toBe(true);
  });

  test("fails as EXPERT_FAILED for what nobody foresaw, and tells the log where, not what", async () => {
    // A column that was not asked for.
    answers.readDataset = async function* () {
      yield {
        rowCount: 1,
        columns: [{ name: SECRET, values: { values: [{ kind: { case: "stringValue", value: "x" } }] } }],
      };
    };
    const error = ConnectError.from(await execute().catch((error: unknown) => error));
    expect([reasonOf(error), error.rawMessage]).toEqual([Reason.EXPERT_FAILED, "the expert failed"]);
    await expect.poll(server.log).toMatch(/KeyError in count \(.*expert\.py:\d+\)/);
    expect(server.log()).not.toContain(SECRET);
  });

  test("is let to its end on SIGTERM", async () => {
    const called = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    answers.getDataset = async () => {
      called.resolve();
      await go.promise;
      return { dataset };
    };
    const answered = execute();
    await called.promise;
    const stopped = server.stop();
    await sleep(200);
    go.resolve();
    expect((await answered).at(-1)?.message.case).toBe("result");
    expect(await stopped).toBe(0);
    server = await startPython(python ?? "", example.folder, { host: host.h2cUrl, token: TOKEN });
  });

  test("fails as UNAVAILABLE where there is no engine", async () => {
    await host.close();
    const error = ConnectError.from(await execute().catch((error: unknown) => error));
    expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, Reason.UNAVAILABLE]);
  });
});

async function* nothing(): AsyncGenerator<never> {}

async function* hanging(signal: AbortSignal): AsyncGenerator<never> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
