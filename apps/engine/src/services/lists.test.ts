// Bad pages of every list that the engine answers: row B30.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { failureOf, inProcessTransport, reasonOf } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageToken } from "../page-token.ts";
import { type EngineUnderTest, startEngine } from "../testing/index.ts";

interface Page {
  pageSize?: number;
  pageToken?: string;
}

let engine: EngineUnderTest;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.close());

const schedules = () => createClient(ScheduleService, inProcessTransport(engine.engine.routes));
const workflowId = "onboard_dataset";
const LISTS: [string, (page: Page) => Promise<unknown>][] = [
  ["runs", (page) => engine.runs.listRuns(page)],
  ["approvals", (page) => engine.runs.listApprovals(page)],
  ["workflows", (page) => engine.workflows.listWorkflows(page)],
  ["versions", (page) => engine.workflows.listWorkflowVersions({ workflowId, ...page })],
  ["schedules", (page) => schedules().listSchedules(page)],
];

async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ConnectError) return error;
  throw new Error("it was not refused");
}

describe.each(LISTS)("the list of %s", (_, list) => {
  it("refuses a size below zero, and takes one that is too large for the largest", async () => {
    const error = await refusal(list({ pageSize: -1 }));
    expect([error.code, reasonOf(error)]).toEqual([Code.InvalidArgument, Reason.FIELD_FORMAT]);
    expect(failureOf(error).subject).toBe("page_size");
    await list({ pageSize: 1_000_000_000 });
  });

  it.each([
    ["no token at all", "%%%"],
    ["one that was forged", Buffer.from('["a","b"]').toString("base64url")],
    ["one of another list", pageToken("another list", "a")],
  ])("refuses %s", async (_, token) => {
    const error = await refusal(list({ pageToken: token }));
    expect([error.code, reasonOf(error)]).toEqual([Code.InvalidArgument, Reason.BAD_PAGE_TOKEN]);
    expect(failureOf(error).subject).toBe("page_token");
  });
});
