import { execFile } from "node:child_process";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpcJs from "@grpc/grpc-js";
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "@odg/proto/grpc/health/v1/health_pb";
import { ServerReflection } from "@odg/proto/grpc/reflection/v1/reflection_pb";
import { ServerReflection as ServerReflectionAlpha } from "@odg/proto/grpc/reflection/v1alpha/reflection_pb";
import {
  GetRunRequestSchema,
  GetRunResponseSchema,
  RunService,
  type WatchRunResponse,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { afterEach, describe, expect, it } from "vitest";
import { envelope, grpc, memoryLogger, PATHS, post, RUN_ID, startWire } from "../test/wire.ts";
import {
  type ClosableTransport,
  connectTransport,
  inProcessTransport,
  kDraining,
  type RpcServer,
  reasonOf,
  reject,
  requestIdOf,
} from "./index.ts";

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

async function serve(...args: Parameters<typeof startWire>): Promise<RpcServer> {
  const server = await startWire(...args);
  closing.push(server);
  return server;
}

function transportTo(server: RpcServer, options: Parameters<typeof connectTransport>[1] = {}): ClosableTransport {
  const transport = connectTransport(options.http1 ? (server.http1Url ?? "") : server.h2cUrl, options);
  closing.push(transport);
  return transport;
}

const runs = (server: RpcServer, options: Parameters<typeof connectTransport>[1] = {}) =>
  createClient(RunService, transportTo(server, options));

async function refusalOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error("the call was answered");
}

async function collect<T>(messages: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const message of messages) into.push(message);
  return into;
}

const hang = () => new Promise<never>(() => undefined);
const beat = { message: { case: "heartbeat" as const, value: {} } };
const PROTOCOLS = [
  ["gRPC", {}],
  ["Connect over HTTP/2", { protocol: "connect" }],
  ["Connect over HTTP/1.1", { http1: true }],
] as const;

describe.each(PROTOCOLS)("a client by %s", (_, options) => {
  it("calls, and reads the reason of a refusal", async () => {
    const client = runs(
      await serve({
        getRun: () => {
          throw reject(Reason.NOT_FOUND, { message: "No such run." });
        },
      }),
      options,
    );
    expect(
      (await client.startRun({ source: { case: "workflowId", value: "w" }, inputs: { a: 1 } })).run?.inputs,
    ).toEqual({ a: 1 });
    const error = await refusalOf(client.getRun({ runId: RUN_ID }));
    expect(error.code).toBe(Code.NotFound);
    expect(reasonOf(error)).toBe(Reason.NOT_FOUND);
    expect(requestIdOf(error)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("gets its answer at the deadline, though the handler hangs", async () => {
    const client = runs(
      await serve({
        getRun: hang,
        async *watchRun() {
          yield beat;
          await hang();
        },
      }),
      options,
    );
    await client.listRuns({}); // The connection is there.
    const began = performance.now();
    const error = await refusalOf(client.getRun({ runId: RUN_ID }, { timeoutMs: 100 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    expect(performance.now() - began).toBeLessThan(1000);
    const streamed = await refusalOf(collect(client.watchRun({ runId: RUN_ID }, { timeoutMs: 100 })));
    expect(streamed.code).toBe(Code.DeadlineExceeded);
  });

  it("learns nothing of an Error that a handler throws but the request id (B36)", async () => {
    const logger = memoryLogger();
    const secret = () => {
      throw new Error("password=hunter2");
    };
    const client = runs(
      await serve(
        {
          getRun: secret,
          async *watchRun() {
            yield beat;
            secret();
          },
        },
        { logger },
      ),
      options,
    );
    for (const begin of [() => client.getRun({ runId: RUN_ID }), () => collect(client.watchRun({ runId: RUN_ID }))]) {
      const error = await refusalOf(begin());
      expect(error.code).toBe(Code.Internal);
      expect(error.rawMessage).toBe("internal error");
      expect(JSON.stringify([...error.metadata, error.details])).not.toContain("hunter2");
      const logged = logger.lines.find((line) => line.fields.request_id === requestIdOf(error));
      expect(logged?.fields.err).toMatchObject({ message: "password=hunter2" });
    }
  });
});

describe("a deadline on the raw wire (F22)", () => {
  const calls = (server: RpcServer) => ({
    "Connect unary": () =>
      post(server, PATHS.get, JSON.stringify({ run_id: RUN_ID }), { "connect-timeout-ms": "100" }).then((a) =>
        a.error(),
      ),
    gRPC: () =>
      grpc(server, PATHS.get, envelope(toBinary(GetRunRequestSchema, create(GetRunRequestSchema, { runId: RUN_ID }))), {
        "grpc-timeout": "100m",
      }),
  });

  it("is answered by the server itself while the handler still hangs, and frees the slot", async () => {
    let left = 0;
    const server = await serve({
      getRun: (_, context) => {
        context.signal.addEventListener("abort", () => left++);
        return hang();
      },
    });
    for (const [name, call] of Object.entries(calls(server))) {
      await call();
      const late: number[] = [];
      for (let i = 0; i < 20; i++) {
        const began = performance.now();
        const error = await call();
        late.push(performance.now() - began - 100);
        expect(error.reason, name).toBe("DEADLINE_EXCEEDED");
      }
      // The goal is 50 ms at the 99th percentile; on a machine that others use too, the median is what can be held.
      expect(late.sort((a, b) => a - b)[late.length / 2], name).toBeLessThan(50);
    }
    expect(left).toBe(42);
  });

  it("covers a request that never arrives", async () => {
    const server = await serve({}, { bodyTimeoutMs: 100 });
    const answer = await new Promise<http.IncomingMessage>((resolve, refuse) => {
      const headers = { "content-type": "application/json", "content-length": "100" };
      const request = http.request(`${server.http1Url}${PATHS.list}`, { method: "POST", headers }, resolve);
      request.on("error", refuse);
      request.write("{");
    });
    expect(answer.statusCode).toBe(504);
    answer.destroy();
  });
});

describe("a caller who leaves", () => {
  it("ends the handler's stream", async () => {
    const ended = Promise.withResolvers<void>();
    const server = await serve({
      async *watchRun() {
        try {
          for (;;) {
            yield beat;
            await sleep(5);
          }
        } finally {
          ended.resolve();
        }
      },
    });
    const leave = new AbortController();
    const seen: WatchRunResponse[] = [];
    const watching = refusalOf(collect(runs(server).watchRun({ runId: RUN_ID }, { signal: leave.signal }), seen));
    while (seen.length === 0) await sleep(5);
    leave.abort();
    expect((await watching).code).toBe(Code.Canceled);
    await ended.promise;
  });
});

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

describe("health", () => {
  it("answers by service, and NOT_FOUND for one that is not there", async () => {
    const server = await serve();
    const health = createClient(HealthService, transportTo(server));
    expect((await health.check({})).status).toBe(Status.SERVING);
    expect((await health.check({ service: RunService.typeName })).status).toBe(Status.SERVING);
    expect((await refusalOf(health.check({ service: "no.Such" }))).code).toBe(Code.NotFound);
    server.health.set("", false);
    expect((await health.check({})).status).toBe(Status.NOT_SERVING);
  });
});

describe.each([
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionAlpha],
] as const)("reflection %s", (_, service) => {
  type Ask = {
    case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType";
    value: string;
  };
  const ask = async (...messageRequests: Ask[]) => {
    const server = await serve();
    const client = createClient(service as typeof ServerReflection, transportTo(server));
    async function* requests() {
      for (const messageRequest of messageRequests) yield { messageRequest };
    }
    return (await collect(client.serverReflectionInfo(requests()))).map((response) => response.messageResponse);
  };

  it("lists the services, and gives a symbol's file with all that it imports", async () => {
    const [list, symbol, method, file, none] = await ask(
      { case: "listServices", value: "*" },
      { case: "fileContainingSymbol", value: "odg.engine.v1.RunService" },
      { case: "fileContainingSymbol", value: "odg.engine.v1.RunService.StartRun" },
      { case: "fileByFilename", value: "google/protobuf/struct.proto" },
      { case: "fileContainingSymbol", value: "odg.engine.v1.RunService.Nope" },
    );
    const names = list?.case === "listServicesResponse" ? list.value.service.map((one) => one.name) : [];
    expect(names).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "odg.engine.v1.RunService",
    ]);
    const protos = symbol?.case === "fileDescriptorResponse" ? symbol.value.fileDescriptorProto : [];
    const { FileDescriptorProtoSchema } = await import("@bufbuild/protobuf/wkt");
    const files = protos.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const known = new Set(files.map((one) => one.name));
    expect(files.flatMap((one) => one.dependency).filter((name) => !known.has(name))).toEqual([]);
    expect(method?.case).toBe("fileDescriptorResponse");
    expect(file?.case).toBe("fileDescriptorResponse");
    expect(none).toMatchObject({ case: "errorResponse", value: { errorCode: Code.NotFound } });
  });
});

describe("grpc-js", () => {
  it("calls by the very bytes of the descriptors, and reads status and deadline", async () => {
    const server = await serve({ listRuns: hang });
    const client = new grpcJs.Client(server.h2cUrl.replace("http://", ""), grpcJs.credentials.createInsecure());
    closing.push(client);
    const call = (path: string, timeoutMs = 5000) =>
      new Promise<Buffer>((resolve, refuse) => {
        const bytes = Buffer.from(
          toBinary(GetRunRequestSchema, create(GetRunRequestSchema, path === PATHS.get ? { runId: RUN_ID } : {})),
        );
        const deadline = Date.now() + timeoutMs;
        const done = (error: unknown, answer?: Buffer) => (error ? refuse(error) : resolve(answer ?? Buffer.alloc(0)));
        client.makeUnaryRequest(
          path,
          (b: Buffer) => b,
          (b: Buffer) => b,
          bytes,
          new grpcJs.Metadata(),
          { deadline },
          done,
        );
      });
    expect(fromBinary(GetRunResponseSchema, await call(PATHS.get)).run?.runId).toBe(RUN_ID);
    await expect(call(PATHS.list, 100)).rejects.toMatchObject({ code: grpcJs.status.DEADLINE_EXCEEDED });
    await expect(call("/odg.engine.v1.RunService/Nope")).rejects.toMatchObject({ code: grpcJs.status.UNIMPLEMENTED });
  });
});

const grpcurl = process.env.ODG_TEST_GRPCURL_PATH;
describe.skipIf(!grpcurl)("grpcurl, which knows the services by reflection alone", () => {
  const run = promisify(execFile);

  it("lists, describes and calls", async () => {
    const target = (await serve()).h2cUrl.replace("http://", "");
    const tell = async (...args: string[]) => (await run(grpcurl ?? "", ["-plaintext", ...args])).stdout;
    expect(await tell(target, "list")).toContain("odg.engine.v1.RunService");
    expect(await tell(target, "describe", "odg.engine.v1.RunService")).toContain("rpc StartRun");
    expect(await tell(target, "describe", "odg.engine.v1.StartRunRequest")).toContain("google.protobuf.Struct inputs");
    expect(await tell("-d", JSON.stringify({ run_id: RUN_ID }), target, "odg.engine.v1.RunService/GetRun")).toContain(
      RUN_ID,
    );
    const refused = await tell("-d", '{"run_id":"x"}', target, "odg.engine.v1.RunService/GetRun").catch(
      (error: { stderr: string }) => error.stderr,
    );
    expect(refused).toContain("FIELD_FORMAT");
  });
});

describe("a Unix socket", () => {
  it("serves like a port", async () => {
    const socketPath = join(tmpdir(), `odg-rpc-${process.pid}`, "s.sock");
    const server = await serve({}, { socketPath, http1Port: undefined });
    expect(server.h2cUrl).toBe(`unix:${socketPath}`);
    expect((await runs(server).getRun({ runId: RUN_ID })).run?.runId).toBe(RUN_ID);
  });
});

describe("in process", () => {
  it("passes the same rules as a server", async () => {
    const logger = memoryLogger();
    const transport = inProcessTransport(
      (router) =>
        router.service(RunService, {
          getRun: hang,
          listRuns: () => {
            throw new Error("secret");
          },
        }),
      { logger },
    );
    const client = createClient(RunService, transport);
    expect(reasonOf(await refusalOf(client.getRun({ runId: "no uuid" })))).toBe(Reason.FIELD_FORMAT);
    expect((await refusalOf(client.getRun({ runId: RUN_ID }, { timeoutMs: 50 }))).code).toBe(Code.DeadlineExceeded);
    expect((await refusalOf(client.listRuns({}))).rawMessage).toBe("internal error");
    expect(logger.lines).toHaveLength(1);
  });
});
