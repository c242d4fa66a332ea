// The rows of the table of bad input about runs that only the real engine can answer, over real sockets.
import { Code, ConnectError } from "@connectrpc/connect";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reasonName, reasonOf } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asText, watchToEnd, workflowOf } from "./testing/index.ts";
import { echoes, probeTask, ServedEngine } from "./testing/served-engine.ts";

let served: ServedEngine;
beforeAll(async () => {
  served = await ServedEngine.start();
});
afterAll(() => served?.close());

describe("StartRun", () => {
  it("answers the first run again for the same request_id and body, and refuses another body (B23)", async () => {
    const request_id = "7f0c2b1e-90ac-4c4b-8a70-0f6c2f4fd1aa";
    const first = await served.start({ ...echoes("once"), request_id });
    const again = await served.start({ ...echoes("once"), request_id });
    expect(first.status).toBe(200);
    expect((again.json.run as { runId: string }).runId).toBe((first.json.run as { runId: string }).runId);
    const other = await served.start({ ...echoes("once"), inputs: { more: 1 }, request_id });
    expect(other).toMatchObject({
      status: 409,
      code: "already_exists",
      reason: "IDEMPOTENCY_CONFLICT",
      fields: ["request_id"],
    });
  });

  it("begins one run for a request_id that comes many times at once", async () => {
    const request_id = "11111111-2222-4333-8444-555555555555";
    const answers = await Promise.all(Array.from({ length: 8 }, () => served.start({ ...echoes("race"), request_id })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ json }) => (json.run as { runId: string }).runId)).size).toBe(1);
  });

  it.each([
    [{ request_id: "not-a-uuid" }, "request_id"],
    [{ labels: { Upper: "x" } }, "labels.Upper"],
    [{ labels: { long: "x".repeat(257) } }, "labels.long"],
    [{ workflow_version: "v".repeat(65) }, "workflow_version"],
  ])("refuses %.60j (B24)", async (fields, path) => {
    const answer = await served.start({ ...echoes("w"), ...fields });
    expect(answer).toMatchObject({ status: 400, code: "invalid_argument", reason: "FIELD_FORMAT" });
    expect(answer.fields.join()).toContain(path.split(".")[0]);
  });

  it("refuses labels of 10 MB by their size (B24)", async () => {
    const answer = await served.start({ ...echoes("w"), labels: { a: "x".repeat(10_000_000) } });
    expect(answer).toMatchObject({ code: "resource_exhausted", reason: "MESSAGE_TOO_LARGE" });
  });

  it("says that a dataset is missing before any task runs", async () => {
    expect(await served.start({ workflow_id: "onboard_dataset" })).toMatchObject({
      status: 400,
      reason: "INPUT_INVALID",
      fields: ["inputs.dataset"],
    });
  });
});

describe("lists (B30)", () => {
  const list = (body: object) => served.call("RunService/ListRuns", body);

  it("refuse a negative size and clamp a huge one", async () => {
    expect(await list({ page_size: -1 })).toMatchObject({ status: 400, reason: "FIELD_FORMAT", fields: ["page_size"] });
    expect((await list({ page_size: 1_000_000_000 })).status).toBe(200);
  });

  it("go on where the page before ended, and refuse a token that is forged or of another filter", async () => {
    for (let i = 0; i < 3; i++) await served.start(echoes("paged"));
    const first = await list({ page_size: 2, workflow_id: "paged" });
    const token = String(first.json.nextPageToken);
    const second = await list({ page_size: 2, workflow_id: "paged", page_token: token });
    const ids = [first, second].flatMap(({ json }) => (json.runs as { runId: string }[]).map(({ runId }) => runId));
    expect(ids).toHaveLength(3);
    expect(ids).toEqual(ids.toSorted().toReversed());
    const refused = { status: 400, code: "invalid_argument", reason: "BAD_PAGE_TOKEN", fields: ["page_token"] };
    expect(await list({ page_size: 2, workflow_id: "once", page_token: token })).toMatchObject(refused);
    expect(await list({ page_token: "AAAA" })).toMatchObject(refused);
    expect(await served.call("WorkflowService/ListWorkflows", { page_token: token })).toMatchObject(refused);
  });
});

describe("a run that has ended", () => {
  let ended: string;
  beforeAll(async () => {
    ended = (await served.engine.run({ source: { case: "workflow", value: workflowOf([probeTask("a")]) } })).run.runId;
  });

  it("cannot be cancelled (B32)", async () => {
    const answer = await served.call("RunService/CancelRun", { run_id: ended });
    expect(answer).toMatchObject({ status: 400, code: "failed_precondition", reason: "STATE_INVALID" });
  });

  it("cannot be watched past its end (B34)", async () => {
    const watching = async () => {
      for await (const _ of served.runs.watchRun({ runId: ended, afterSeq: 1000n })) expect.unreachable();
    };
    const error = await watching().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConnectError);
    expect((error as ConnectError).code).toBe(Code.OutOfRange);
    expect(reasonName(reasonOf(error))).toBe("RESUME_EXPIRED");
  });

  it("is not found under an id that does not exist, and refused under one that is none", async () => {
    const unknown = await served.call("RunService/GetRun", { run_id: "01890a5d-ac96-774b-bcce-b302099a8057" });
    expect(unknown).toMatchObject({ status: 404, reason: "NOT_FOUND" });
    expect(await served.call("RunService/GetRun", { run_id: "1" })).toMatchObject({
      status: 400,
      reason: "FIELD_FORMAT",
    });
  });
});

describe("an expert that throws an Error with a secret (B36)", () => {
  it("shows it neither to the client, nor in the journal, nor in the log", async () => {
    const secret = "hunter2-postgres://user:pa55word@db/prod";
    const began = served.engine.log.length;
    const tasks = [probeTask("a", { action: "fail", inputs: { times: 9, message: secret } })];
    // The message is an input here, so only what the engine says of the failure is looked at.
    const { run, events } = await served.engine.run({ source: { case: "workflow", value: workflowOf(tasks) } });
    const failed = events.find(({ kind }) => kind.case === "taskFailed");
    expect(reasonName(run.failure?.reason ?? 0)).toBe("EXPERT_FAILED");
    expect(asText([run.failure, run.tasks, failed?.kind.value])).not.toMatch(/hunter2|pa55word/);
    const lines = served.engine.log.slice(began);
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
    expect(await served.call(method, body)).toMatchObject({ status: 400, code: "invalid_argument", reason });
  });

  it("takes __proto__ and constructor as plain data (B7)", async () => {
    const body = `{"workflow":{"workflow_id":"w","tasks":[{"id":"a","expert":"ProbeExpert","action":"echo"}]},"inputs":{"__proto__":{"polluted":true},"constructor":1}}`;
    const answer = await served.call("RunService/StartRun", body);
    expect(answer.status).toBe(200);
    const { run } = await watchToEnd(served.runs, (answer.json.run as { runId: string }).runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect(Object.keys(run.inputs ?? {}).sort()).toEqual(["__proto__", "constructor"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("answers 404, 405 and 415 as HTTP does (B11, B12)", async () => {
    const url = `${served.server.http1Url}/odg.engine.v1.RunService`;
    expect((await fetch(`${url}/Nothing`, { method: "POST", body: "{}" })).status).toBe(404);
    expect((await fetch(`${url}/StartRun`, { method: "PUT", body: "{}" })).status).toBe(405);
    const text = { method: "POST", body: "{}", headers: { "content-type": "text/plain" } };
    expect((await fetch(`${url}/StartRun`, text)).status).toBe(415);
  });
});
