import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import * as grpcJs from "@grpc/grpc-js";
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "@odg/proto/grpc/health/v1/health_pb";
import { ServerReflection } from "@odg/proto/grpc/reflection/v1/reflection_pb";
import { ServerReflection as ServerReflectionAlpha } from "@odg/proto/grpc/reflection/v1alpha/reflection_pb";
import { GetRunRequestSchema, GetRunResponseSchema, RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { describe, expect, it } from "vitest";
import { closing, collect, hang, refusalOf, serve, transportTo } from "../test/clients.ts";
import { PATHS, RUN_ID } from "../test/wire.ts";

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
