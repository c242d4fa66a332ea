// Every client that a caller may have, behind one interface: start a run, follow it to its end.
import { execFile, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createClient as createOdgClient } from "@odg/client";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type Event, EventSchema } from "@odg/proto/odg/run/v1/run_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { toolPath } from "../../tools/services/endpoints.ts";
import type { Door } from "./open-house.ts";

/** What every client can do. */
export interface Driver {
  /** Starts a run of this workflow; answers its id. */
  start(workflow: JsonObject): Promise<string>;
  /** Kinds of all events, as in JSON, until the stream ends. */
  watch(runId: string): Promise<string[]>;
  /** What the client is told of a run that there is not. */
  refusal(runId: string): Promise<string>;
}

/** Makes a client of one of the two servers. */
export type MakeDriver = (door: Door) => Driver;

const ROOT = resolve(import.meta.dirname, "../..");

/** Another team's gRPC library, which has nothing of this repository but its .proto files. */
export const grpcJs: MakeDriver = ({ grpc: url }) => {
  const definition = loadSync("odg/engine/v1/run_service.proto", {
    includeDirs: [resolve(ROOT, "proto"), resolve(ROOT, "third_party/proto")],
    oneofs: true,
  });
  const service = definition["odg.engine.v1.RunService"];
  if (service === undefined || "format" in service) throw new Error("the .proto has no RunService");
  const Stub = grpc.makeClientConstructor(service as grpc.ServiceDefinition, "RunService");
  const stub = new Stub(new URL(url).host, grpc.credentials.createInsecure());
  const unary = (method: "startRun" | "getRun", request: object) =>
    new Promise<{ run: { runId: string } }>((done, refuse) => {
      const answered = (error: unknown, answer: { run: { runId: string } }) => (error ? refuse(error) : done(answer));
      stub[method]?.(request, answered);
    });
  return {
    start: async (workflow) => (await unary("startRun", { workflow: structsIn(workflow) })).run.runId,
    watch: async (runId) => {
      const kinds: string[] = [];
      const stream: AsyncIterable<{ event?: { kind: string } }> = stub.watchRun?.({ runId });
      for await (const { event } of stream) if (event) kinds.push(event.kind);
      return kinds;
    },
    refusal: (runId) => thrown(unary("getRun", { runId })),
  };
};

/** A workflow as that library wants it: each `inputs`, which is a google.protobuf.Struct, field by field. */
function structsIn(workflow: JsonObject): object {
  const { tasks, workflow_id } = workflow as {
    tasks: { inputs?: JsonObject; depends_on?: string[] }[];
    workflow_id: string;
  };
  const written = tasks.map(({ inputs, depends_on, ...task }) => ({
    ...task,
    dependsOn: depends_on,
    ...(inputs && { inputs: { fields: Object.fromEntries(Object.entries(inputs).map(([k, v]) => [k, fieldOf(v)])) } }),
  }));
  return { workflowId: workflow_id, tasks: written };
}

function fieldOf(value: JsonValue): object {
  return typeof value === "number" ? { numberValue: value } : { stringValue: String(value) };
}

/** The Connect protocol by HTTP/1.1. */
export const connectJson: MakeDriver = ({ http }) =>
  byTransport(createConnectTransport({ baseUrl: http, httpVersion: "1.1" }));

/** gRPC-web, as a page would have it. */
export const grpcWeb: MakeDriver = ({ http }) => byTransport(createGrpcWebTransport({ baseUrl: http }));

function byTransport(transport: Transport): Driver {
  const runs = createClient(RunService, transport);
  return {
    start: async (workflow) => {
      const { run } = await runs.startRun({ source: { case: "workflow", value: read(workflow) } });
      return run?.runId ?? "";
    },
    watch: async (runId) => {
      const kinds: string[] = [];
      for await (const { message } of runs.watchRun({ runId }))
        if (message.case === "event") kinds.push(kindOf(message.value));
      return kinds;
    },
    refusal: (runId) => thrown(runs.getRun({ runId })),
  };
}

/** The project's own client, which resumes a watch. */
export const ownClient: MakeDriver = ({ http }) => {
  const client = createOdgClient({ url: http, http1: true });
  return {
    start: async (workflow) => (await client.startRun({ source: { case: "workflow", value: read(workflow) } })).runId,
    watch: async (runId) => {
      const kinds: string[] = [];
      for await (const message of client.watch(runId)) if (message.case === "event") kinds.push(kindOf(message.value));
      return kinds;
    },
    refusal: (runId) => thrown(client.runs.getRun({ runId })),
  };
};

/** Whether this machine has it. */
export function hasCurl(): boolean {
  return spawnSync("curl", ["--version"]).status === 0;
}

/** A shell with curl, which knows neither gRPC nor Connect. */
export const curl: MakeDriver = ({ http }) => {
  const call = (method: string, body: JsonValue) =>
    run("curl", [
      "-s",
      `${http}/odg.engine.v1.RunService/${method}`,
      "-H",
      "content-type: application/json",
      "-d",
      JSON.stringify(body),
    ]);
  return {
    start: async (workflow) => runIdIn(await call("StartRun", { workflow })),
    watch: async (runId) => {
      const url = `${http}/odg.engine.v1.RunService/WatchRun`;
      const header = "content-type: application/connect+json";
      // A message of the stream is five bytes, of which the last four are its length, and JSON.
      const script = `printf '\\0\\0\\0\\0\\60{"runId":"%s"}' "$1" | curl -sN "$2" -H "$3" --data-binary @-`;
      return kindsIn(await run("bash", ["-c", script, "watch", runId, url, header]));
    },
    refusal: (runId) => call("GetRun", { run_id: runId }),
  };
};

/** grpcurl, which learns the services from the server itself. */
export const grpcurl: MakeDriver = ({ grpc: url }) => {
  const call = (method: string, body: JsonValue) =>
    run(toolPath("grpcurl") ?? "", [
      "-plaintext",
      "-d",
      JSON.stringify(body),
      new URL(url).host,
      `odg.engine.v1.RunService/${method}`,
    ]);
  return {
    start: async (workflow) => runIdIn(await call("StartRun", { workflow })),
    watch: async (runId) => kindsIn(await call("WatchRun", { run_id: runId })),
    refusal: (runId) => thrown(call("GetRun", { run_id: runId })),
  };
};

function read(workflow: JsonObject): Workflow {
  return fromJson(WorkflowSchema, workflow);
}

function kindOf(event: Event): string {
  return event.kind.case ?? "";
}

function runIdIn(json: string): string {
  return (JSON.parse(json) as { run: { runId: string } }).run.runId;
}

const KINDS = EventSchema.oneofs[0]?.fields.map(({ jsonName }) => jsonName) ?? [];

/** Kinds of the events in the JSON of several messages, whatever stands between them. */
function kindsIn(text: string): string[] {
  const found = text.matchAll(new RegExp(`"seq": ?"\\d+"[^{]*"(${KINDS.join("|")})": ?\\{`, "g"));
  return [...found].map(([, kind = ""]) => kind);
}

/** Runs a program; what it wrote to standard error becomes the message of the error. */
function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((done, refuse) => {
    execFile(command, args, { maxBuffer: 2 ** 24 }, (error, stdout, stderr) =>
      error ? refuse(new Error(stderr || stdout || error.message)) : done(stdout),
    );
  });
}

/** What the refused call says. */
async function thrown(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "it was answered",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}
