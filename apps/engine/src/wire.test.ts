// The rows of the table of bad input that only the real engine can answer, over real sockets.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import {
  RunService,
  StartRunRequestSchema,
  StartRunResponseSchema,
  WatchRunRequestSchema,
  WatchRunResponseSchema,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { connectTransport, type RpcServer, reasonName, reasonOf, startServer } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_EXPERTS } from "./config.ts";
import {
  asText,
  call,
  type EngineUnderTest,
  gate,
  PROBE_EXPERT,
  sampleLake,
  startEngine,
  watchToEnd,
  workflowOf,
} from "./testing/index.ts";

let lake: string;
let outside: string;
let engine: EngineUnderTest;
let server: RpcServer;
let http: string;
let runs: Client<typeof RunService>;

beforeAll(async () => {
  lake = sampleLake(500);
  outside = mkdtempSync(join(tmpdir(), "odg-outside-"));
  engine = await startEngine({ dataRoots: [lake], experts: [...DEFAULT_EXPERTS, PROBE_EXPERT] });
  server = await startServer({
    routes: engine.engine.routes,
    http1Port: 0,
    drainMs: 500,
    logger: engine.engine.logger,
  });
  http = server.http1Url ?? "";
  runs = createClient(RunService, connectTransport(server.h2cUrl));
});

afterAll(async () => {
  await server?.close();
  await engine?.close();
  for (const folder of [lake, outside]) if (folder) rmSync(folder, { recursive: true, force: true });
});

const publish = (workflow: unknown) => call(http, "WorkflowService/PublishWorkflow", { workflow });
const start = (body: unknown) => call(http, "RunService/StartRun", body);
const probe = (id: string, more: object = {}) => ({ id, expert: "ProbeExpert", action: "echo", ...more });
const echoes = (workflowId: string) => ({ workflow: { workflow_id: workflowId, tasks: [probe("a")] } });

describe("a workflow that is no DAG (B19)", () => {
  it("is refused with every violation at once, each under its field path", async () => {
    const tasks = [
      probe("a", { depends_on: ["c"] }),
      probe("b", { depends_on: ["a"] }),
      probe("c", { depends_on: ["b"] }),
      probe("self", { depends_on: ["self"] }),
      probe("lost", { depends_on: ["slef"] }),
      probe("behind", { depends_on: ["a"] }),
      probe("twin"),
      probe("twin"),
    ];
    const answer = await publish({ workflow_id: "knot", tasks });
    expect(answer).toMatchObject({ status: 400, code: "invalid_argument", reason: "DAG_INVALID" });
    const said = Object.fromEntries(answer.fields.map((field, i) => [field, answer.descriptions[i] ?? ""]));
    expect(said["tasks[0].depends_on[0]"]).toMatch(/a.*c.*b/s);
    expect(said["tasks[3].depends_on[0]"]).toContain("itself");
    expect(said["tasks[4].depends_on[0]"]).toContain('Did you mean "self"');
    expect(answer.descriptions.join("\n")).toMatch(/"behind"|tasks\[5\]/);
    expect(said["tasks[7].id"]).toContain("twin");
    expect(answer.help).toContain("dag_invalid");
  });
});

describe("a workflow that is too large (B20)", () => {
  it("is refused at 10,001 tasks", async () => {
    const tasks = Array.from({ length: 10_001 }, (_, i) => probe(`t${i}`));
    expect(await publish({ workflow_id: "wide", tasks })).toMatchObject({ status: 400, reason: "DAG_TOO_LARGE" });
  });

  it("is refused at 100,001 edges", async () => {
    const ids = Array.from({ length: 11 }, (_, i) => `r${i}`);
    const leaves = Array.from({ length: 9_091 }, (_, i) => probe(`t${i}`, { depends_on: ids }));
    const answer = await publish({ workflow_id: "dense", tasks: [...ids.map((id) => probe(id)), ...leaves] });
    expect(answer).toMatchObject({ status: 400, reason: "DAG_TOO_LARGE" });
    expect(answer.message).toContain("100001");
  });
});

describe("a task that no expert can do (B21)", () => {
  it("is refused naming the closest match", async () => {
    const answer = await publish({
      workflow_id: "w",
      tasks: [{ id: "a", expert: "ShemaExpert", action: "analyze_schema" }],
    });
    expect(answer).toMatchObject({ status: 400, code: "failed_precondition", reason: "EXPERT_UNAVAILABLE" });
    expect(answer.message).toContain('Did you mean "SchemaExpert"');
    expect(answer.fields).toEqual(["tasks[0].expert"]);
  });

  it("is refused where no version is in the range, naming those there are", async () => {
    const answer = await publish({ workflow_id: "w", tasks: [probe("a", { version: ">=9" })] });
    expect(answer).toMatchObject({ status: 400, reason: "EXPERT_UNAVAILABLE", fields: ["tasks[0].version"] });
    expect(answer.message).toContain("1.0.0");
  });

  it("is refused where the expert lacks the action", async () => {
    const answer = await publish({ workflow_id: "w", tasks: [probe("a", { action: "ehco" })] });
    expect(answer.message).toContain('Did you mean "echo"');
  });
});

describe("a bad expression (B22)", () => {
  const when = (text: string) =>
    publish({ workflow_id: "w", tasks: [probe("a"), probe("b", { depends_on: ["a"], when: text })] });

  it("is refused with line and column", async () => {
    const answer = await when("tasks.a.status\n  == nosuch");
    expect(answer).toMatchObject({
      status: 400,
      code: "invalid_argument",
      reason: "EXPR_INVALID",
      fields: ["tasks[1].when"],
    });
    expect(answer.message).toMatch(/line 2, column 6/);
  });

  it("is refused where it calls an unknown function", async () => {
    const answer = await when("exec('id') == ''");
    expect(answer).toMatchObject({ status: 400, reason: "EXPR_INVALID" });
    expect(answer.message).toContain("exec");
  });

  it("is refused where it is too large", async () => {
    const answer = await when(Array(4000).fill("true").join(" && "));
    expect(answer).toMatchObject({ status: 400, reason: "EXPR_INVALID" });
    expect(answer.text.length).toBeLessThan(5000);
  });
});

describe("StartRun", () => {
  it("answers the first run again for the same request_id and body, and refuses another body (B23)", async () => {
    const request_id = "7f0c2b1e-90ac-4c4b-8a70-0f6c2f4fd1aa";
    const first = await start({ ...echoes("once"), request_id });
    const again = await start({ ...echoes("once"), request_id });
    expect(first.status).toBe(200);
    expect((again.json.run as { runId: string }).runId).toBe((first.json.run as { runId: string }).runId);
    const other = await start({ ...echoes("once"), inputs: { more: 1 }, request_id });
    expect(other).toMatchObject({
      status: 409,
      code: "already_exists",
      reason: "IDEMPOTENCY_CONFLICT",
      fields: ["request_id"],
    });
  });

  it("begins one run for a request_id that comes many times at once", async () => {
    const request_id = "11111111-2222-4333-8444-555555555555";
    const answers = await Promise.all(Array.from({ length: 8 }, () => start({ ...echoes("race"), request_id })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ json }) => (json.run as { runId: string }).runId)).size).toBe(1);
  });

  it.each([
    [{ request_id: "not-a-uuid" }, "request_id"],
    [{ labels: { Upper: "x" } }, "labels.Upper"],
    [{ labels: { long: "x".repeat(257) } }, "labels.long"],
    [{ workflow_version: "v".repeat(65) }, "workflow_version"],
  ])("refuses %.60j (B24)", async (fields, path) => {
    const answer = await start({ ...echoes("w"), ...fields });
    expect(answer).toMatchObject({ status: 400, code: "invalid_argument", reason: "FIELD_FORMAT" });
    expect(answer.fields.join()).toContain(path.split(".")[0]);
  });

  it("refuses labels of 10 MB by their size (B24)", async () => {
    const answer = await start({ ...echoes("w"), labels: { a: "x".repeat(10_000_000) } });
    expect(answer).toMatchObject({ code: "resource_exhausted", reason: "MESSAGE_TOO_LARGE" });
  });

  it("says that a dataset is missing before any task runs", async () => {
    expect(await start({ workflow_id: "onboard_dataset" })).toMatchObject({
      status: 400,
      reason: "INPUT_INVALID",
      fields: ["inputs.dataset"],
    });
  });
});

const onboard = (dataset: string) => start({ workflow_id: "onboard_dataset", inputs: { dataset } });

describe("a path that leads out of the data roots (B25)", () => {
  const SECRET = "s3cretname";
  const paths = () => [
    `../../../../../../etc/${SECRET}`,
    "../../etc/passwd",
    "/etc/passwd",
    `file:///etc/${SECRET}`,
    `%2e%2e/%2e%2e/etc/${SECRET}`,
    `..%2f..%2f${SECRET}`,
    `\\\\server\\share\\${SECRET}.csv`,
    `//server/share/${SECRET}.csv`,
    `C:\\data\\${SECRET}.csv`,
    `c:/data/${SECRET}.csv`,
    join(lake, "link.csv"),
    join(lake, "folder", "secret.csv"),
    join(lake, "..", `${SECRET}.csv`),
    lake,
  ];

  beforeAll(() => {
    writeFileSync(join(outside, "secret.csv"), "a,b\n1,2\n");
    symlinkSync(join(outside, "secret.csv"), join(lake, "link.csv"));
    symlinkSync(outside, join(lake, "folder"));
  });

  it("is refused, and not echoed", async () => {
    for (const path of paths()) {
      const answer = await onboard(path);
      expect(answer, path).toMatchObject({ status: 400, code: "invalid_argument", reason: "PATH_NOT_ALLOWED" });
      expect(answer.fields, path).toEqual(["inputs.dataset"]);
      expect(answer.text, path).not.toContain(SECRET);
      expect(answer.text, path).not.toContain("passwd");
      expect(answer.text, path).not.toContain(lake);
    }
  });

  it("is refused where it holds a NUL", async () => {
    const answer = await onboard(`${join(lake, "orders.parquet")}\0.csv`);
    expect(answer.status).toBe(400);
    expect(["PATH_NOT_ALLOWED", "BAD_ENCODING"]).toContain(answer.reason);
  });

  it("is refused where a task names it", async () => {
    const tasks = [{ id: "a", expert: "SchemaExpert", action: "analyze_schema", inputs: { file_path: "/etc/passwd" } }];
    const answer = await start({ workflow: { workflow_id: "w", tasks } });
    expect(answer).toMatchObject({ reason: "PATH_NOT_ALLOWED", fields: ["workflow.tasks[0].inputs.file_path"] });
  });

  it("fails the task where an expression made it", async () => {
    const tasks = [
      probe("a", { inputs: { value: "/etc/passwd" } }),
      {
        id: "b",
        expert: "SchemaExpert",
        action: "analyze_schema",
        depends_on: ["a"],
        inputs: { dataset: `\${tasks.a.output.input.value}` },
      },
    ];
    const { run } = await engine.run({ source: { case: "workflow", value: workflowOf(tasks) } });
    expect(reasonName(run.tasks[1]?.failure?.reason ?? 0)).toBe("PATH_NOT_ALLOWED");
    expect(run.tasks[1]?.failure?.message).not.toContain("passwd");
  });
});

describe("an address of a server (B26)", () => {
  it.each([
    "http://169.254.169.254/latest",
    "https://127.1/x",
    "http://[::ffff:7f00:1]/",
    "http://0x7f000001/",
    "s3://bucket/key.parquet",
  ])("is denied for %s", async (uri) => {
    const answer = await onboard(uri);
    expect(answer).toMatchObject({ status: 403, code: "permission_denied", reason: "EGRESS_DENIED" });
    expect(answer.text).not.toContain(uri);
  });
});

describe("a broken or oversized file (B27)", () => {
  async function refusal(name: string): Promise<string> {
    const answer = await onboard(join(lake, name));
    if (answer.status !== 200) return answer.reason;
    const { run } = await watchToEnd(runs, (answer.json.run as { runId: string }).runId);
    return reasonName(run.failure?.reason ?? 0);
  }
  const write = (name: string, bytes: Uint8Array | string) => writeFileSync(join(lake, name), bytes);

  it("is refused as corrupt where a parquet file is cut", async () => {
    const whole = readFileSync(join(lake, "orders.parquet"));
    write("cut.parquet", whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect(await refusal("cut.parquet")).toBe("DATA_CORRUPT");
  });

  it("is refused as corrupt where a footer lies", async () => {
    copyFileSync(join(lake, "orders.parquet"), join(lake, "liar.parquet"));
    const bytes = readFileSync(join(lake, "liar.parquet"));
    bytes.writeUInt32LE(0x7fffffff, bytes.length - 8);
    write("liar.parquet", bytes);
    expect(await refusal("liar.parquet")).toBe("DATA_CORRUPT");
  });

  it("is refused as corrupt where its pages are overwritten", async () => {
    const bytes = readFileSync(join(lake, "orders.parquet"));
    bytes.fill(0xa5, 4, Math.floor(bytes.length * 0.7));
    write("noise.parquet", bytes);
    expect(await refusal("noise.parquet")).toBe("DATA_CORRUPT");
  });

  it("is refused by its cap where it has 20,000 columns", async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `c${i}`);
    write("wide.csv", `${names.join(",")}\n${names.map(() => "1").join(",")}\n`);
    expect(await refusal("wide.csv")).toBe("DATA_TOO_LARGE");
  });

  it("is refused by its cap where one line has no end", async () => {
    write("line.csv", `a,b\n1,${"x".repeat(80 * 2 ** 20)}`);
    expect(await refusal("line.csv")).toBe("DATA_TOO_LARGE");
    rmSync(join(lake, "line.csv"));
  });

  it("is refused where it is empty, or no table at all", async () => {
    write("empty.csv", "");
    write("image.parquet", Buffer.from("89504e470d0a1a0a0000000d", "hex"));
    expect(await refusal("empty.csv")).toBe("DATA_CORRUPT");
    expect(await refusal("image.parquet")).toBe("DATA_UNSUPPORTED");
  });

  it("is not found where there is none", async () => {
    expect(await refusal("no-such.parquet")).toBe("NOT_FOUND");
  });
});

describe("lists (B30)", () => {
  const list = (body: object) => call(http, "RunService/ListRuns", body);

  it("refuse a negative size and clamp a huge one", async () => {
    expect(await list({ page_size: -1 })).toMatchObject({ status: 400, reason: "FIELD_FORMAT", fields: ["page_size"] });
    expect((await list({ page_size: 1_000_000_000 })).status).toBe(200);
  });

  it("go on where the page before ended, and refuse a token that is forged or of another filter", async () => {
    for (let i = 0; i < 3; i++) await start(echoes("paged"));
    const first = await list({ page_size: 2, workflow_id: "paged" });
    const token = String(first.json.nextPageToken);
    const second = await list({ page_size: 2, workflow_id: "paged", page_token: token });
    const ids = [first, second].flatMap(({ json }) => (json.runs as { runId: string }[]).map(({ runId }) => runId));
    expect(ids).toHaveLength(3);
    expect(ids).toEqual(ids.toSorted().toReversed());
    const refused = { status: 400, code: "invalid_argument", reason: "BAD_PAGE_TOKEN", fields: ["page_token"] };
    expect(await list({ page_size: 2, workflow_id: "once", page_token: token })).toMatchObject(refused);
    expect(await list({ page_token: "AAAA" })).toMatchObject(refused);
    expect(await call(http, "WorkflowService/ListWorkflows", { page_token: token })).toMatchObject(refused);
  });
});

describe("a run that has ended", () => {
  let ended: string;
  beforeAll(async () => {
    ended = (await engine.run({ source: { case: "workflow", value: workflowOf([probe("a")]) } })).run.runId;
  });

  it("cannot be cancelled (B32)", async () => {
    const answer = await call(http, "RunService/CancelRun", { run_id: ended });
    expect(answer).toMatchObject({ status: 400, code: "failed_precondition", reason: "STATE_INVALID" });
  });

  it("cannot be watched past its end (B34)", async () => {
    const watching = async () => {
      for await (const _ of runs.watchRun({ runId: ended, afterSeq: 1000n })) expect.unreachable();
    };
    const error = await watching().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConnectError);
    expect((error as ConnectError).code).toBe(Code.OutOfRange);
    expect(reasonName(reasonOf(error))).toBe("RESUME_EXPIRED");
  });

  it("is not found under an id that does not exist, and refused under one that is none", async () => {
    const unknown = await call(http, "RunService/GetRun", { run_id: "01890a5d-ac96-774b-bcce-b302099a8057" });
    expect(unknown).toMatchObject({ status: 404, reason: "NOT_FOUND" });
    expect(await call(http, "RunService/GetRun", { run_id: "1" })).toMatchObject({
      status: 400,
      reason: "FIELD_FORMAT",
    });
  });
});

describe("an expert that throws an Error with a secret (B36)", () => {
  it("shows it neither to the client, nor in the journal, nor in the log", async () => {
    const secret = "hunter2-postgres://user:pa55word@db/prod";
    const began = engine.log.length;
    const tasks = [probe("a", { action: "fail", inputs: { times: 9, message: secret } })];
    // The message is an input here, so only what the engine says of the failure is looked at.
    const { run, events } = await engine.run({ source: { case: "workflow", value: workflowOf(tasks) } });
    const failed = events.find(({ kind }) => kind.case === "taskFailed");
    expect(reasonName(run.failure?.reason ?? 0)).toBe("EXPERT_FAILED");
    expect(asText([run.failure, run.tasks, failed?.kind.value])).not.toMatch(/hunter2|pa55word/);
    const lines = engine.log.slice(began);
    expect(lines.join("")).toContain("EXPERT_FAILED");
    expect(lines.join("")).not.toMatch(/hunter2|pa55word/);
  });
});

describe("what every method refuses, here too", () => {
  it.each([
    ["RunService/StartRun", "{", "MALFORMED_JSON"],
    ["RunService/ListRuns", '{"page_size":"many"}', "FIELD_TYPE"],
    ["RunService/ListRuns", '{"page_size":1,"page_size":2}', "MALFORMED_JSON"],
    ["RunService/StartRun", `{"workflow_id":"w","inputs":${'{"a":'.repeat(200)}1${"}".repeat(201)}`, "TOO_DEEP"],
    ["RunService/StartRun", '{"workflow_id":"w","inputs":{"a":"\\ud800"}}', "BAD_ENCODING"],
  ])("%s of %.40s is %s", async (method, body, reason) => {
    expect(await call(http, method, body)).toMatchObject({ status: 400, code: "invalid_argument", reason });
  });

  it("takes __proto__ and constructor as plain data (B7)", async () => {
    const body = `{"workflow":{"workflow_id":"w","tasks":[{"id":"a","expert":"ProbeExpert","action":"echo"}]},"inputs":{"__proto__":{"polluted":true},"constructor":1}}`;
    const answer = await call(http, "RunService/StartRun", body);
    expect(answer.status).toBe(200);
    const { run } = await watchToEnd(runs, (answer.json.run as { runId: string }).runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect(Object.keys(run.inputs ?? {}).sort()).toEqual(["__proto__", "constructor"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("answers 404, 405 and 415 as HTTP does (B11, B12)", async () => {
    const url = `${http}/odg.engine.v1.RunService`;
    expect((await fetch(`${url}/Nothing`, { method: "POST", body: "{}" })).status).toBe(404);
    expect((await fetch(`${url}/StartRun`, { method: "PUT", body: "{}" })).status).toBe(405);
    const text = { method: "POST", body: "{}", headers: { "content-type": "text/plain" } };
    expect((await fetch(`${url}/StartRun`, text)).status).toBe(415);
  });
});

describe("another platform's client", () => {
  it("starts and watches a run by @grpc/grpc-js", async () => {
    const client = new grpc.Client(new URL(server.h2cUrl).host, grpc.credentials.createInsecure());
    const opening = gate("grpc");
    try {
      const tasks = [probe("a", { action: "hold", inputs: { gate: "grpc" } }), probe("b", { depends_on: ["a"] })];
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
    const answer = await onboard(join(lake, "orders.parquet"));
    const { runId } = answer.json.run as { runId: string };
    await watchToEnd(runs, runId);
    const got = await call(http, "RunService/GetReport", { run_id: runId, format: "REPORT_FORMAT_MARKDOWN" });
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
