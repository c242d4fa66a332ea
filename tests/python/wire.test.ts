import { fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { executeRequest, type ListeningTestHost, listenTestHost } from "@odg/expert-plugin-api/testing";
import { BadRequestSchema, ErrorInfoSchema } from "@odg/proto/google/rpc/error_details_pb";
import { StatusSchema } from "@odg/proto/google/rpc/status_pb";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "@odg/proto/grpc/health/v1/health_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { connectTransport, reasonOf } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mustRun } from "../../tools/run-command.ts";
import { toolPath } from "../../tools/services/endpoints.ts";
import { type PythonExample, type PythonServer, preparedExample, startPython } from "./python-expert.ts";

const python = toolPath("python");
const TOKEN = "a token of the test";
const SECRET = "jane.doe@example.com";
const good = executeRequest("measure_texts", { dataset: "mem://nothing.parquet" });

describe.skipIf(!python)("the server of the Python expert", () => {
  let example: PythonExample;
  let host: ListeningTestHost;
  let server: PythonServer;

  beforeAll(async () => {
    example = await preparedExample(python ?? "");
    host = await listenTestHost();
    server = await startPython(python ?? "", example.folder, { host: host.url, token: TOKEN });
  });
  afterAll(async () => {
    await server?.stop();
    await host?.close();
    await example?.remove();
  });

  /** Executes, and answers the error that it must end with. */
  async function refusal(request: Parameters<typeof execute>[0], token?: string): Promise<ConnectError> {
    try {
      await execute(request, token);
    } catch (error) {
      return ConnectError.from(error);
    }
    throw new Error("it was accepted");
  }

  async function execute(request: Partial<typeof good>, token = TOKEN): Promise<void> {
    const transport = connectTransport(`http://${server.address}`, { token });
    try {
      const stream = createClient(ExpertService, transport).execute({ ...good, ...request });
      for await (const _ of stream);
    } finally {
      transport.close();
    }
  }

  /** Sends bytes as the request of Execute; answers the status that comes back. */
  function send(bytes: Buffer): Promise<{ code: number; reason: string | undefined }> {
    const client = new Client(server.address, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${TOKEN}`);
    const identity = (data: Buffer) => data;
    return new Promise((resolve) => {
      const call = client.makeServerStreamRequest(
        `/${ExpertService.typeName}/Execute`,
        identity,
        identity,
        bytes,
        metadata,
      );
      call.on("data", () => undefined);
      call.on("error", (error: ServiceError) => {
        client.close();
        const details = error.metadata.get("grpc-status-details-bin")[0];
        const status = Buffer.isBuffer(details) ? fromBinary(StatusSchema, details).details : [];
        const info = status.find(({ typeUrl }) => typeUrl.endsWith(ErrorInfoSchema.typeName));
        resolve({ code: error.code, reason: info && fromBinary(ErrorInfoSchema, info.value).reason });
      });
    });
  }

  async function health(): Promise<ServingStatus> {
    const transport = connectTransport(`http://${server.address}`);
    try {
      return (await createClient(Health, transport).check({ service: ExpertService.typeName })).status;
    } finally {
      transport.close();
    }
  }

  test("says that it serves, to whoever asks", async () => {
    expect(await health()).toBe(ServingStatus.SERVING);
  });

  test.each(["", "another token"])("takes no call with the token %j", async (token) => {
    const error = await refusal(good, token);
    expect([error.code, reasonOf(error)]).toEqual([Code.Unauthenticated, Reason.UNAUTHENTICATED]);
  });

  test("names every empty field that a request must have", async () => {
    const error = await refusal({ ...good, runId: "", taskId: "" });
    expect(reasonOf(error)).toBe(Reason.FIELD_FORMAT);
    const [details] = error.findDetails(BadRequestSchema);
    expect(details?.fieldViolations.map(({ field }) => field)).toEqual(["run_id", "task_id"]);
  });

  test("names every field of an input that breaks the schema, and repeats no value", async () => {
    const error = await refusal({ ...good, input: { sample: SECRET, columns: [1, SECRET, ""] } });
    expect(reasonOf(error)).toBe(Reason.INPUT_INVALID);
    const [details] = error.findDetails(BadRequestSchema);
    const fields = details?.fieldViolations.map(({ field }) => field);
    expect(fields).toEqual(["input.dataset", "input.columns[0]", "input.columns[2]", "input.sample"]);
    expect(JSON.stringify([error.message, details])).not.toContain(SECRET);
  });

  test.each([
    ["garbage", Buffer.from("ffffff", "hex")],
    ["invalid UTF-8", Buffer.from([10, 2, 0xc3, 0x28])],
    ["1,000 levels of lists", nested(1000)],
  ])("answers MALFORMED_PROTO to %s", async (_, bytes) => {
    expect(await send(bytes)).toEqual({ code: Code.InvalidArgument, reason: "MALFORMED_PROTO" });
  });

  test("refuses a number that JSON has not", async () => {
    const notANumber = Buffer.concat([Buffer.from([9]), Buffer.from(new Float64Array([Number.NaN]).buffer)]);
    expect(await send(request(notANumber))).toEqual({ code: Code.InvalidArgument, reason: "INPUT_INVALID" });
  });

  test("passes on why the engine refuses data", async () => {
    const { token } = host.host.grant();
    const error = await refusal({ ...good, hostToken: token });
    expect([error.code, reasonOf(error)]).toEqual([Code.NotFound, Reason.NOT_FOUND]);
  });

  test("logs none of these as a fault, and no value", () => {
    expect(server.log()).not.toMatch(/Traceback|ERROR|jane/);
  });

  test("passes its own tests", async () => {
    expect(await mustRun(python ?? "", ["-m", "unittest"], { cwd: example.folder })).toMatch(/^OK$/m);
  });

  test("ends well on SIGTERM", async () => {
    expect(await server.stop()).toBe(0);
  });
});

/** An ExecuteRequest whose input nests so many lists. */
function nested(levels: number): Buffer {
  let value: Buffer = Buffer.alloc(0);
  for (let level = 0; level < levels; level++) value = field(6, field(1, value));
  return request(value);
}

/** An ExecuteRequest whose input has one member: this `google.protobuf.Value`, as bytes. */
function request(value: Buffer): Buffer {
  const texts = [1, 2].map((number) => field(number, Buffer.from("x")));
  const input = field(1, Buffer.concat([field(1, Buffer.from("a")), field(2, value)]));
  return Buffer.concat([...texts, field(5, Buffer.from(good.action)), field(6, input)]);
}

/** A field of wire type 2: its tag, its length, its bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}
