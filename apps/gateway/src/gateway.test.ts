// The gateway in front of a stub engine, by raw HTTP and by Connect clients.
import { randomBytes } from "node:crypto";
import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { GetRunRequestSchema, GetRunResponseSchema, RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { connectTransport, type RpcServer, reasonOf, reject, retryAfterOf } from "@odg/rpc";
import { type MemoryLogger, memoryLogger, PATHS, post, RUN_ID, type RunHandlers, startWire } from "@odg/rpc/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type GatewayConfig, readConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

async function opened<T extends { close(): unknown }>(making: Promise<T> | T): Promise<T> {
  const made = await making;
  closing.push(made);
  return made;
}

interface Door {
  engine: RpcServer;
  gateway: RpcServer;
  logger: MemoryLogger;
}

async function open(handlers: RunHandlers = {}, config: Partial<GatewayConfig> = {}): Promise<Door> {
  const engine = await opened(startWire(handlers));
  return { engine, ...(await before(engine.h2cUrl, config)) };
}

async function before(engineUrl: string, config: Partial<GatewayConfig> = {}) {
  const logger = memoryLogger();
  const ports = { httpPort: 0, port: 0, drainMs: 300 };
  const gateway = await opened(startGateway({ ...readConfig({}), ...ports, engineUrl, ...config }, logger));
  return { gateway, logger };
}

async function runsOf({ gateway }: Pick<Door, "gateway">) {
  const transport = await opened(connectTransport(gateway.http1Url ?? "", { http1: true }));
  return createClient(RunService, transport);
}

async function refusalOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => new Error("the call was answered"),
      (error: unknown) => error,
    ),
  );
}

const beat = { message: { case: "heartbeat" as const, value: {} } };
const hang = (signal: AbortSignal) =>
  new Promise<never>((_, refuse) => signal.addEventListener("abort", () => refuse(signal.reason), { once: true }));

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const begin = Date.now(); !(await holds()); await sleep(20)) {
    if (Date.now() - begin > 10_000) throw new Error("it never came true");
  }
}

describe("pages of a browser", () => {
  const ours = "https://console.example";
  const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "content-type" };

  it("of an allowed origin may ask, call, and read errors", async () => {
    const { gateway } = await open({}, { origins: [ours] });
    const asked = await fetch(`${gateway.http1Url}${PATHS.start}`, {
      method: "OPTIONS",
      headers: { origin: ours, ...preflight },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(ours);
    expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
    expect(asked.headers.get("access-control-allow-headers")?.toLowerCase()).toMatch(
      /(?=.*content-type)(?=.*connect-protocol-version)(?=.*connect-timeout-ms)(?=.*x-grpc-web)(?=.*authorization)(?=.*x-request-id)/,
    );
    expect(asked.headers.get("access-control-allow-credentials")).toBeNull();
    const called = await post(gateway, PATHS.start, '{"workflow_id":"w"}', { origin: ours });
    const refused = await post(gateway, PATHS.start, "{", { origin: ours });
    expect([called.status, refused.status]).toEqual([200, 400]);
    for (const { headers } of [called, refused]) {
      expect(headers.get("access-control-allow-origin")).toBe(ours);
      expect(headers.get("access-control-expose-headers")?.toLowerCase()).toContain("grpc-status");
      expect(headers.get("vary")).toBe("Origin");
    }
  });

  it.each(["https://evil.example", "null", "https://console.example.evil", "http://console.example", ""])(
    "of the origin %j are refused before anything happens",
    async (origin) => {
      let started = 0;
      const startRun = () => ({ run: { runId: String(++started) } });
      const { gateway } = await open({ startRun }, { origins: [ours] });
      const called = await post(gateway, PATHS.start, '{"workflow_id":"w"}', { origin });
      expect(called.status).toBe(403);
      expect(JSON.parse(called.text)).toMatchObject({ code: "permission_denied", reason: "POLICY_DENIED" });
      const asked = await fetch(`${gateway.http1Url}${PATHS.start}`, {
        method: "OPTIONS",
        headers: { origin, ...preflight },
      });
      expect(asked.status).toBe(403);
      for (const { headers } of [called, asked]) expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(started).toBe(0);
    },
  );

  it("of no origin are allowed by default, while callers that are no pages may call", async () => {
    const { gateway } = await open();
    expect((await post(gateway, PATHS.list, "{}", { origin: ours })).status).toBe(403);
    const called = await post(gateway, PATHS.list, "{}");
    expect(called.status).toBe(200);
    expect(called.headers.get("vary")).toBe("Origin");
  });
});

describe("a call", () => {
  it("reaches the engine with the caller's id and authority, and with no other header", async () => {
    const seen: Headers[] = [];
    const getRun: RunHandlers["getRun"] = ({ runId }, { requestHeader }) => {
      seen.push(requestHeader);
      return { run: { runId } };
    };
    const { gateway } = await open({ getRun });
    const headers = {
      "x-request-id": "call-7",
      authorization: "Bearer t",
      cookie: "a=b",
      "x-forwarded-for": "1.2.3.4",
    };
    const { text, headers: answered } = await post(gateway, PATHS.get, JSON.stringify({ run_id: RUN_ID }), headers);
    expect(JSON.parse(text)).toEqual({ run: { runId: RUN_ID } });
    expect(answered.get("x-request-id")).toBe("call-7");
    const [got] = seen;
    expect([got?.get("x-request-id"), got?.get("authorization")]).toEqual(["call-7", "Bearer t"]);
    expect([got?.get("cookie"), got?.get("x-forwarded-for")]).toEqual([null, null]);
  });

  it("brings the engine's error back with its details and none of its headers", async () => {
    const getRun = () => {
      throw reject(Reason.NOT_FOUND, {
        message: "There is no such run.",
        field: "run_id",
        headers: { "x-inside": "1" },
      });
    };
    const door = await open({ getRun });
    const { status, headers, error } = await post(door.gateway, PATHS.get, JSON.stringify({ run_id: RUN_ID }), {
      "x-request-id": "call-8",
    });
    expect(status).toBe(404);
    expect(error()).toMatchObject({ code: "not_found", reason: "NOT_FOUND", fields: ["run_id"], requestId: "call-8" });
    expect(error().message).toBe("There is no such run.");
    expect(headers.get("x-inside")).toBeNull();
    expect(door.logger.lines.filter(({ fields }) => "err" in fields)).toEqual([]);
  });

  it("tells nothing of a fault in the engine", async () => {
    const getRun = () => {
      throw new Error("password=hunter2");
    };
    const { gateway } = await open({ getRun });
    const { text, error } = await post(gateway, PATHS.get, JSON.stringify({ run_id: RUN_ID }));
    expect(error()).toMatchObject({ status: 500, reason: "INTERNAL" });
    expect(text).not.toContain("hunter2");
  });

  it("keeps the fields of a newer caller and of a newer engine", async () => {
    const unknown = Buffer.from([0xfa, 0x3e, 3, 0x6e, 0x65, 0x77]); // Field 1007: "new".
    const getRun: RunHandlers["getRun"] = (request) => {
      const answer = create(GetRunResponseSchema, { run: { runId: request.runId } });
      answer.$unknown = request.$unknown;
      return answer;
    };
    const { gateway } = await open({ getRun });
    const known = toBinary(GetRunRequestSchema, create(GetRunRequestSchema, { runId: RUN_ID }));
    const response = await fetch(`${gateway.http1Url}${PATHS.get}`, {
      method: "POST",
      headers: { "content-type": "application/proto" },
      body: Buffer.concat([known, unknown]),
    });
    const answered = fromBinary(GetRunResponseSchema, new Uint8Array(await response.arrayBuffer()));
    expect(answered.run?.runId).toBe(RUN_ID);
    expect(answered.$unknown?.map(({ no }) => no)).toEqual([1007]);
  });

  it("ends when the caller's deadline passes, at the engine too", async () => {
    const left: (number | undefined)[] = [];
    const getRun: RunHandlers["getRun"] = (_, { signal, timeoutMs }) => {
      left.push(timeoutMs());
      return hang(signal);
    };
    const { gateway } = await open({ getRun });
    const { error } = await post(gateway, PATHS.get, JSON.stringify({ run_id: RUN_ID }), {
      "connect-timeout-ms": "1000",
    });
    expect(error()).toMatchObject({ status: 504, reason: "DEADLINE_EXCEEDED" });
    expect(left[0]).toBeLessThanOrEqual(1000);
  });

  it("ends by the gateway's own limit where the caller has none", async () => {
    const { gateway } = await open({ getRun: (_, { signal }) => hang(signal) }, { callTimeoutMs: 100 });
    const { error } = await post(gateway, PATHS.get, JSON.stringify({ run_id: RUN_ID }));
    expect(error()).toMatchObject({ status: 504, code: "deadline_exceeded", reason: "DEADLINE_EXCEEDED" });
  });

  it("of a service that is not for callers is not found", async () => {
    const { gateway } = await open();
    expect((await post(gateway, "/odg.expert.v1.HostService/ReadContext", "{}")).status).toBe(404);
    expect((await post(gateway, "/odg.expert.v1.ExpertService/Execute", "{}")).status).toBe(404);
  });
});

describe("a stream", () => {
  it("brings each message when it comes", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    async function* watchRun() {
      for (const gate of gates) {
        yield beat;
        await gate.promise;
      }
    }
    const runs = await runsOf(await open({ watchRun }));
    let got = 0;
    for await (const { message } of runs.watchRun({ runId: RUN_ID })) {
      expect(message.case).toBe("heartbeat");
      gates[got++]?.resolve();
    }
    expect(got).toBe(2);
  });

  it("ends at the engine when the caller leaves", async () => {
    const ended: string[] = [];
    async function* watchRun(_: unknown, { signal }: { signal: AbortSignal }) {
      signal.addEventListener("abort", () => ended.push("left"), { once: true });
      yield beat;
      await hang(signal);
    }
    const runs = await runsOf(await open({ watchRun }));
    const leaving = new AbortController();
    const watching = (async () => {
      for await (const _ of runs.watchRun({ runId: RUN_ID }, { signal: leaving.signal })) leaving.abort();
    })();
    expect((await refusalOf(watching)).code).toBe(Code.Canceled);
    await until(() => ended.length === 1);
  });

  it("counts as lost when the engine is silent for too long, however slow the reader", async () => {
    async function* watchRun(_: unknown, { signal }: { signal: AbortSignal }) {
      yield beat;
      yield beat;
      await hang(signal);
    }
    const runs = await runsOf(await open({ watchRun }, { silenceMs: 700 }));
    let got = 0;
    const watching = (async () => {
      for await (const _ of runs.watchRun({ runId: RUN_ID })) {
        got++;
        await sleep(1000);
      }
    })();
    const error = await refusalOf(watching);
    expect([got, reasonOf(error), retryAfterOf(error)]).toEqual([2, Reason.UNAVAILABLE, 1000]);
  });

  it("ends with UNAVAILABLE when the gateway drains, so that its watcher resumes elsewhere", async () => {
    async function* watchRun(_: unknown, { signal }: { signal: AbortSignal }) {
      yield beat;
      await hang(signal);
    }
    const door = await open({ watchRun });
    const runs = await runsOf(door);
    const begun = Date.now();
    const watching = (async () => {
      for await (const _ of runs.watchRun({ runId: RUN_ID })) void door.gateway.close();
    })();
    expect(reasonOf(await refusalOf(watching))).toBe(Reason.UNAVAILABLE);
    await door.gateway.close();
    expect(Date.now() - begun).toBeLessThan(5000);
  });

  it("waits for a caller who does not read, and holds up no other", async () => {
    const text = randomBytes(48 * 1024).toString("base64"); // Such as no compression makes small.
    let sent = 0;
    async function* watchRun() {
      for (;;) {
        sent++;
        yield { message: { case: "event" as const, value: { seq: BigInt(sent), runId: text } } };
      }
    }
    const door = await open({ watchRun });
    const deaf = net.connect(Number(new URL(door.gateway.http1Url ?? "").port), "127.0.0.1").pause();
    closing.push({ close: () => deaf.destroy() });
    const request = `{"runId":"${RUN_ID}"}`;
    deaf.write(
      `POST ${PATHS.watch} HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+json\r\nContent-Length: ${request.length + 5}\r\n\r\n`,
    );
    deaf.write(Buffer.concat([Buffer.from([0, 0, 0, 0, request.length]), Buffer.from(request)]));
    await until(() => sent > 0);
    await until(async () => {
      const before = sent;
      await sleep(500);
      return sent === before;
    });
    expect(sent * text.length).toBeLessThan(32 * 2 ** 20); // What sockets and HTTP/2 hold on the way.
    expect((await post(door.gateway, PATHS.list, "{}")).status).toBe(200);
    let got = 0;
    for await (const _ of (await runsOf(door)).watchRun({ runId: RUN_ID })) if (++got === 50) break;
    expect(got).toBe(50);
  });

  it("may be one of two hundred at once", async () => {
    const all = Promise.withResolvers<void>();
    let watchers = 0;
    async function* watchRun() {
      if (++watchers === 200) all.resolve();
      yield beat;
      await all.promise;
      yield beat;
    }
    const runs = await runsOf(await open({ watchRun }));
    const counts = await Promise.all(
      Array.from({ length: 200 }, async () => {
        let count = 0;
        for await (const _ of runs.watchRun({ runId: RUN_ID })) count++;
        return count;
      }),
    );
    expect(counts).toEqual(Array(200).fill(2));
  });
});

describe("an engine that is away", () => {
  it("is UNAVAILABLE, and where it should be is not told", async () => {
    const { gateway, logger } = await before("http://127.0.0.1:1");
    const { status, text, error } = await post(gateway, PATHS.list, "{}");
    expect(status).toBe(503);
    expect(error()).toMatchObject({ code: "unavailable", reason: "UNAVAILABLE", retries: true });
    expect(text).not.toMatch(/127\.0\.0\.1|ECONN/);
    expect(logger.lines.map(({ message }) => message)).toContain("the engine cannot be reached");
    const stream = await refusalOf(
      (async () => {
        for await (const _ of (await runsOf({ gateway })).watchRun({ runId: RUN_ID }));
      })(),
    );
    expect(stream.code).toBe(Code.Unavailable);
  });

  it("is found again when it is back", async () => {
    const { engine, gateway } = await open();
    expect((await post(gateway, PATHS.list, "{}")).status).toBe(200);
    await engine.close();
    expect((await post(gateway, PATHS.list, "{}")).status).toBe(503);
    await opened(startWire({}, { port: Number(new URL(engine.h2cUrl).port) }));
    expect((await post(gateway, PATHS.list, "{}")).status).toBe(200);
  });

  it("makes the gateway alive but not ready, and ready again", async () => {
    const { engine, gateway } = await open();
    const ask = async (path: string) => (await fetch(`${gateway.http1Url}${path}`)).status;
    await until(async () => (await ask("/readyz")) === 200);
    await engine.close();
    await until(async () => (await ask("/readyz")) === 503);
    expect(await ask("/healthz")).toBe(200);
    await opened(startWire({}, { port: Number(new URL(engine.h2cUrl).port) }));
    await until(async () => (await ask("/readyz")) === 200);
    expect(await ask("/nothing")).toBe(404);
  });
});

describe("sizes", () => {
  it("are limited as the settings say", async () => {
    const { gateway } = await open({}, { maxRequestBytes: 2000 });
    const { error } = await post(gateway, PATHS.start, `{"workflow_id":"${"w".repeat(3000)}"}`);
    expect(error()).toMatchObject({ code: "resource_exhausted", reason: "MESSAGE_TOO_LARGE", retries: false });
  });

  it("of an answer may pass the limit of a request", async () => {
    const page = "x".repeat(6 * 2 ** 20);
    const { gateway } = await open({ listRuns: () => ({ runs: [], nextPageToken: page }) });
    const { text } = await post(gateway, PATHS.list, "{}");
    expect(text.length).toBeGreaterThan(page.length);
  });
});
