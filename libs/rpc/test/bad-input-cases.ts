// Rows B1 to B13 of the table of bad input, as a list that every server of the project is held to.
import * as net from "node:net";
import { gzipSync } from "node:zlib";
import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import {
  GetRunRequestSchema,
  ListRunsRequestSchema,
  StartRunRequestSchema,
  WatchRunRequestSchema,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RpcServer } from "../src/index.ts";
import { envelope, grpc, h2, PATHS, post, RUN_ID, streamJson } from "./wire.ts";

const deepJson = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const deepObject = (levels: number): JsonObject => (levels === 0 ? {} : { a: deepObject(levels - 1) });
const start = (fields: string) => `{"workflow_id":"w",${fields}}`;
const listBytes = toBinary(ListRunsRequestSchema, create(ListRunsRequestSchema, { pageSize: 3 }));

/**
 * Declares the cases for a server whose RunService is the stub of {@link startWire}, however it is reached.
 *
 * @param open Starts the server, before all cases.
 */
export function badInputCases(open: () => Promise<RpcServer>): void {
  let server: RpcServer;
  beforeAll(async () => {
    server = await open();
  });
  afterAll(() => server?.close());

  /** The same JSON, as a Connect unary call, as a Connect stream, and as gRPC with the JSON codec. */
  async function refusals(json: string | Uint8Array, path: string = PATHS.start) {
    const bytes = Buffer.from(json);
    const [unary, inGrpc] = await Promise.all([
      post(server, path, bytes),
      grpc(server, path, envelope(bytes), { "content-type": "application/grpc+json" }),
    ]);
    return [unary.error(), inGrpc];
  }

  async function expectRefused(json: string | Uint8Array, reason: string, field?: string) {
    const [unary, inGrpc] = await refusals(json);
    const fields = field === undefined ? [] : [field];
    expect(unary).toMatchObject({ status: 400, code: "invalid_argument", reason, fields });
    expect(inGrpc).toMatchObject({ code: 3, reason, fields });
    expect(unary?.requestId).toBeTruthy();
  }

  describe("B1 malformed JSON", () => {
    it.each(["", "   ", "{", "{]", "nul", '{"workflow_id":"w"} x'])("refuses %j", (json) =>
      expectRefused(json, "MALFORMED_JSON"),
    );

    it("does not quote the text in its error", async () => {
      const { text } = await post(server, PATHS.start, '{"workflow_id": s3cret-token}');
      expect(text).not.toContain("s3cret");
    });

    it("refuses it in a stream", async () => {
      const error = await streamJson(server, PATHS.watch, envelope(Buffer.from("{")));
      expect(error).toMatchObject({ code: "invalid_argument", reason: "MALFORMED_JSON" });
    });
  });

  describe("B2 wrong types", () => {
    it.each([
      ['{"pageSize":"many"}', "page_size"],
      ['{"page_size":2147483648}', "page_size"],
      ['{"pageSize":1.5}', "page_size"],
      ['{"pageSize":{}}', "page_size"],
      ['{"pageToken":7}', "page_token"],
    ])("names the field of %s", async (json, field) => {
      const [unary, inGrpc] = await refusals(json, PATHS.list);
      expect(unary).toMatchObject({ status: 400, reason: "FIELD_TYPE", fields: [field] });
      expect(inGrpc).toMatchObject({ code: 3, reason: "FIELD_TYPE", fields: [field] });
    });

    it.each([
      ['"inputs":[]', "inputs"],
      ['"labels":{"a":1}', "labels.a"],
      ['"workflow":{"tasks":[{"id":"a"},{"id":7}]}', "workflow.tasks[1].id"],
      ['"labels":[]', "labels"],
      ['"request_id":true', "request_id"],
    ])("names the place of %s", async (fields, path) => {
      const error = (await post(server, PATHS.start, `{${fields}}`)).error();
      expect(error).toMatchObject({ reason: "FIELD_TYPE", fields: [path] });
    });

    it("refuses a body that is no object", () => expectRefused("[]", "FIELD_TYPE", ""));

    it("does not quote the value in its error", async () => {
      const { text } = await post(server, PATHS.list, '{"pageSize":"4111111111111111"}');
      expect(text).not.toContain("4111");
    });
  });

  describe("B3 unknown fields", () => {
    it("are ignored on Connect and gRPC, for callers newer than the server", async () => {
      expect((await post(server, PATHS.list, '{"max_cots":1}')).status).toBe(200);
    });
  });

  describe("B4 duplicate keys", () => {
    it("are refused at any depth", async () => {
      await expectRefused('{"workflow_id":"a","workflow_id":"b"}', "MALFORMED_JSON");
      await expectRefused(start('"inputs":{"a":{"x":1,"x":2}}'), "MALFORMED_JSON");
      await expectRefused('{"workflow_id":"a","workflowId":"b"}', "MALFORMED_JSON");
    });
  });

  describe("B5 nesting", () => {
    it("takes 100 levels, also in a Struct", async () => {
      expect((await post(server, PATHS.start, start(`"inputs":${deepJson(98)}`))).status).toBe(200);
    });

    it.each([100, 5000, 200_000])("refuses a Struct of %i levels", (levels) =>
      expectRefused(start(`"inputs":${deepJson(levels)}`), "TOO_DEEP"),
    );

    it("refuses arrays and unfinished text as well", () => expectRefused("[".repeat(100_000), "TOO_DEEP"));

    it("refuses it in protobuf", async () => {
      const nested = (levels: number) =>
        toBinary(StartRunRequestSchema, create(StartRunRequestSchema, { inputs: deepObject(levels) }));
      const deep = await grpc(server, PATHS.start, envelope(nested(150)));
      expect(deep).toMatchObject({ code: 3, reason: "TOO_DEEP" });
      const shallow = await grpc(server, PATHS.start, envelope(nested(98)));
      expect(shallow.reason).toBe("FIELD_FORMAT"); // It is read; that the source is missing is another fault.
    });
  });

  describe("B6 encoding", () => {
    it.each([
      ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), undefined],
      ["a lone surrogate", start('"inputs":{"a":"\\ud800"}'), "inputs.a"],
      ["a NUL", start('"inputs":{"a":["x","\\u0000"]}'), "inputs.a[1]"],
      ["a NUL in a key", start('"inputs":{"a":{"b\\u0000":1}}'), "inputs.a[…]"],
      ["a NUL under a key of a oneof's shape", start('"inputs":{"case":"\\u0000","value":1}'), "inputs"],
    ])("refuses %s in JSON", (_, json, field) => expectRefused(json, "BAD_ENCODING", field));

    it("takes a pair of surrogates", async () => {
      expect((await post(server, PATHS.start, start('"inputs":{"a":"\\ud83d\\ude00"}'))).status).toBe(200);
    });

    it("refuses invalid UTF-8 and NUL in protobuf", async () => {
      const bad = await grpc(server, PATHS.get, envelope(Buffer.from([0x0a, 2, 0xc3, 0x28])));
      expect(bad).toMatchObject({ code: 3, reason: "BAD_ENCODING" });
      const nul = await grpc(server, PATHS.get, envelope(Buffer.from([0x0a, 2, 0x61, 0x00])));
      expect(nul).toMatchObject({ code: 3, reason: "BAD_ENCODING", fields: ["run_id"] });
    });
  });

  describe("B7 keys that JavaScript knows", () => {
    it("are plain data", async () => {
      const json = start('"inputs":{"__proto__":{"admin":true},"constructor":1}');
      const { status, text } = await post(server, PATHS.start, json);
      expect(status).toBe(200);
      expect(text).toContain('"__proto__":{"admin":true}');
      expect(text).toContain('"constructor":1');
      expect(({} as Record<string, unknown>).admin).toBeUndefined();
    });
  });

  describe("B8 size", () => {
    const big = start(`"inputs":{"a":"${"x".repeat(5 * 1024 * 1024)}"}`);

    it("refuses a body over the limit, and says that waiting does not help", async () => {
      const error = (await post(server, PATHS.start, big)).error();
      expect(error).toMatchObject({
        status: 429,
        code: "resource_exhausted",
        reason: "MESSAGE_TOO_LARGE",
        retries: false,
      });
    });

    it("refuses it by the length that an envelope claims, before it has come", async () => {
      const error = await grpc(server, PATHS.list, envelope(Buffer.alloc(0), 0, 2 ** 32 - 1));
      expect(error).toMatchObject({ code: 8, reason: "MESSAGE_TOO_LARGE", retries: false });
    });

    it("answers a caller who does not say how much comes", async () => {
      const chunk = Buffer.alloc(64 * 1024, 0x20);
      const answer = await h2(server.h2cUrl, PATHS.start, {
        body: Buffer.concat(Array.from({ length: 80 }, () => chunk)),
        headers: { "content-type": "application/json" },
      });
      expect(answer.status).toBe(429);
    });

    it("refuses a gzip bomb after the limit of unpacked bytes", async () => {
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
      const unary = await post(server, PATHS.start, bomb, { "content-encoding": "gzip" });
      expect(unary.error()).toMatchObject({ status: 429, reason: "MESSAGE_TOO_LARGE" });
      const inGrpc = await grpc(server, PATHS.list, envelope(bomb, 1), { "grpc-encoding": "gzip" });
      expect(inGrpc).toMatchObject({ code: 8, reason: "MESSAGE_TOO_LARGE" });
    });
  });

  describe("B9 compression", () => {
    it("reads what is honestly packed", async () => {
      const packed = await post(server, PATHS.list, gzipSync("{}"), { "content-encoding": "gzip" });
      expect(packed.status).toBe(200);
      expect((await grpc(server, PATHS.list, envelope(gzipSync(listBytes), 1), { "grpc-encoding": "gzip" })).code).toBe(
        0,
      );
    });

    it("refuses a compression that it does not know", async () => {
      const unary = await post(server, PATHS.list, "{}", { "content-encoding": "zstd" });
      expect(unary.error()).toMatchObject({ status: 501, code: "unimplemented", reason: "UNIMPLEMENTED" });
      const inGrpc = await grpc(server, PATHS.list, envelope(listBytes, 1), { "grpc-encoding": "zstd" });
      expect(inGrpc).toMatchObject({ code: 12, reason: "UNIMPLEMENTED" });
    });

    it("refuses bytes that are not packed as the header says", async () => {
      for (const body of [Buffer.from("{}"), gzipSync("{}").subarray(0, 12), Buffer.from([0x1f, 0x8b, 8, 0])]) {
        const unary = await post(server, PATHS.list, body, { "content-encoding": "gzip" });
        expect(unary.error()).toMatchObject({ status: 400, reason: "MALFORMED_PROTO" });
      }
      const inGrpc = await grpc(server, PATHS.list, envelope(listBytes, 1), { "grpc-encoding": "gzip" });
      expect(inGrpc).toMatchObject({ code: 3, reason: "MALFORMED_PROTO" });
      const unnamed = await grpc(server, PATHS.list, envelope(listBytes, 1));
      expect(unnamed).toMatchObject({ code: 3, reason: "MALFORMED_PROTO" });
    });
  });

  describe("B10 garbage", () => {
    it.each([
      ["random bytes", envelope(Buffer.from("garbage!"))],
      ["a group that never ends", envelope(Buffer.from([0x4b, 0x4b]))],
      ["a message cut short", envelope(listBytes, 0, 100)],
      ["half a head", Buffer.from([0, 0])],
      ["unknown flags", envelope(listBytes, 0x40)],
    ])("refuses %s", async (_, body) => {
      expect(await grpc(server, PATHS.list, body)).toMatchObject({ code: 3, reason: "MALFORMED_PROTO" });
    });

    it("refuses them over Connect and gRPC-web as well", async () => {
      const unary = await post(server, PATHS.list, "garbage!", { "content-type": "application/proto" });
      expect(unary.error()).toMatchObject({ status: 400, code: "invalid_argument", reason: "MALFORMED_PROTO" });
      const web = await post(server, PATHS.list, envelope(Buffer.from("garbage!")), {
        "content-type": "application/grpc-web+proto",
      });
      expect(web.headers.get("grpc-status") ?? /grpc-status: ?(\d+)/.exec(web.text)?.[1]).toBe("3");
    });

    it("refuses no message, and two, where one is wanted", async () => {
      expect(await grpc(server, PATHS.list, Buffer.alloc(0))).toMatchObject({ code: 12, reason: "UNIMPLEMENTED" });
      const two = Buffer.concat([envelope(listBytes), envelope(listBytes)]);
      expect(await grpc(server, PATHS.list, two)).toMatchObject({ code: 12, reason: "UNIMPLEMENTED" });
    });

    it("answers any bytes with a code of the caller's fault, never with internal", async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
          const { code } = await grpc(server, PATHS.start, envelope(bytes));
          expect([3, 8, 12]).toContain(code);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe("B11 content type and method", () => {
    it("answers 415 and 405", async () => {
      expect((await post(server, PATHS.list, "a=b", { "content-type": "text/plain" })).status).toBe(415);
      expect(
        (await h2(server.h2cUrl, PATHS.list, { headers: { "content-type": "application/grpc+thrift" } })).status,
      ).toBe(415);
      for (const method of ["GET", "PUT", "DELETE"]) {
        const response = await fetch(`${server.http1Url}${PATHS.list}`, { method });
        expect(response.status).toBe(405);
        expect(response.headers.get("x-request-id")).toBeTruthy();
      }
    });
  });

  describe("B12 unknown method", () => {
    it("answers 404 over Connect, and unimplemented over gRPC", async () => {
      const unknown = await post(server, "/odg.engine.v1.RunService/Nope", "{}");
      expect(unknown.status).toBe(404);
      expect(JSON.parse(unknown.text)).toMatchObject({ code: "not_found", reason: "NOT_FOUND" });
      const inGrpc = await grpc(server, "/odg.engine.v1.NoService/Nope", envelope(listBytes));
      expect(inGrpc).toMatchObject({ status: 200, code: 12, reason: "UNIMPLEMENTED" });
    });
  });

  describe("B13 deadlines", () => {
    it.each(["abc", "-1", "1.5", "", "99999999999"])("refuses connect-timeout-ms %j", async (value) => {
      const error = (await post(server, PATHS.list, "{}", { "connect-timeout-ms": value })).error();
      expect(error).toMatchObject({ status: 400, reason: "FIELD_FORMAT", fields: ["connect-timeout-ms"] });
    });

    it.each(["abc", "-1S", "1", "99999999H"])("refuses grpc-timeout %j", async (value) => {
      const error = await grpc(server, PATHS.list, envelope(listBytes), { "grpc-timeout": value });
      expect(error).toMatchObject({ code: 3, reason: "FIELD_FORMAT", fields: ["grpc-timeout"] });
    });
  });

  describe("rules of the .proto", () => {
    it("answers every violation with its path", async () => {
      const json = '{"workflow_id":"","request_id":"no-uuid","labels":{"Bad Key":"x"}}';
      const error = (await post(server, PATHS.start, json)).error();
      expect(error).toMatchObject({ status: 400, code: "invalid_argument", reason: "FIELD_FORMAT" });
      expect([...error.fields].sort()).toEqual(["labels[…]", "request_id", "workflow_id"]);
    });

    it("holds for streams", async () => {
      const bytes = toBinary(WatchRunRequestSchema, create(WatchRunRequestSchema, { runId: "x", afterSeq: -1n }));
      const error = await grpc(server, PATHS.watch, envelope(bytes));
      expect(error).toMatchObject({ code: 3, reason: "FIELD_FORMAT" });
      expect([...error.fields].sort()).toEqual(["after_seq", "run_id"]);
    });
  });

  describe("HTTP itself", () => {
    const raw = (text: string) =>
      new Promise<string>((resolve, refuse) => {
        const socket = net.connect(Number(new URL(server.http1Url ?? "").port), "127.0.0.1", () => socket.end(text));
        let answer = "";
        socket.on("data", (data) => {
          answer += data.toString();
        });
        socket.on("end", () => resolve(answer));
        socket.on("error", refuse);
      });

    it.each(["Host: [", "Host: a b", "X-No-Host: 1"])("survives %j", async (host) => {
      const answer = await raw(
        `POST ${PATHS.list} HTTP/1.0\r\n${host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
      );
      expect(answer).toContain(" 400 ");
      expect((await post(server, PATHS.list, "{}")).status).toBe(200);
    });

    it("carries a request id in and out, and makes one where the given one is no token", async () => {
      const given = await post(server, PATHS.list, "{}", { "x-request-id": "trace-42" });
      expect(given.headers.get("x-request-id")).toBe("trace-42");
      const failed = await post(server, PATHS.list, "{", { "x-request-id": "trace-43" });
      expect(failed.error().requestId).toBe("trace-43");
      const bad = await post(server, PATHS.list, "{}", { "x-request-id": "a b\tc" });
      expect(bad.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    });

    it("serves protobuf over Connect", async () => {
      const bytes = toBinary(GetRunRequestSchema, create(GetRunRequestSchema, { runId: RUN_ID }));
      const response = await post(server, PATHS.get, bytes, { "content-type": "application/proto" });
      expect(response.status).toBe(200);
    });
  });
}
