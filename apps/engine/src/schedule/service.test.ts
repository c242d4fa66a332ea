// Schedules through the service of a real engine.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Schedule, ScheduleSchema, ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { failureOf, inProcessTransport, reasonOf } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EngineUnderTest, startEngine } from "../testing/index.ts";

type Init = MessageInitShape<typeof ScheduleSchema> & { $typeName?: never };

const workflowId = "onboard_dataset";
let engine: EngineUnderTest;
let client: ReturnType<typeof connect>;

function connect(to: EngineUnderTest) {
  return createClient(ScheduleService, inProcessTransport(to.engine.routes));
}

beforeAll(async () => {
  engine = await startEngine();
  client = connect(engine);
});
afterAll(() => engine?.close());

async function keep(init: Init): Promise<Schedule> {
  const wanted = create(ScheduleSchema, { cron: "0 6 * * *", workflowId, ...init });
  const { schedule } = await client.createSchedule({ schedule: wanted });
  return schedule ?? create(ScheduleSchema);
}

async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ConnectError) return error;
  throw new Error("it was not refused");
}

describe("the schedule service", () => {
  it("keeps a schedule with an etag and its next time, and ignores what only the engine may set", async () => {
    const kept = await keep({ scheduleId: "first", timeZone: "Europe/Berlin", lastRunId: "forged", etag: "mine" });
    expect(kept).toMatchObject({ scheduleId: "first", lastRunId: "", skippedCount: 0n });
    expect(kept.etag).not.toBe("mine");
    expect(Number(kept.nextTime?.seconds) * 1000).toBeGreaterThan(Date.now());
    expect((await client.getSchedule({ scheduleId: "first" })).schedule).toEqual(kept);
  });

  it("answers the first where the same is created again, and refuses another one of that id", async () => {
    const kept = await keep({ scheduleId: "twice" });
    expect(await keep({ scheduleId: "twice" })).toEqual(kept);
    expect(reasonOf(await refusal(keep({ scheduleId: "twice", cron: "0 7 * * *" })))).toBe(Reason.STATE_INVALID);
  });

  it.each<[string, Init, Reason, string]>([
    ["a cron of six fields", { cron: "* * * * * *" }, Reason.FIELD_FORMAT, "schedule.cron"],
    ["a zone that is none", { timeZone: "Mars/Olympus" }, Reason.FIELD_FORMAT, "schedule.time_zone"],
    ["an overlap that is none", { overlap: "perhaps" }, Reason.FIELD_FORMAT, "schedule.overlap"],
    ["a workflow that is none", { workflowId: "none" }, Reason.NOT_FOUND, "workflow_id"],
    ["a version that is none", { workflowVersion: "00" }, Reason.NOT_FOUND, "workflow_version"],
    ["an id that is none", { scheduleId: "1/2" }, Reason.FIELD_FORMAT, "schedule.schedule_id"],
  ])("refuses %s, and names the field", async (_, init, reason, field) => {
    const error = await refusal(keep({ scheduleId: "refused", ...init }));
    expect(reasonOf(error)).toBe(reason);
    expect(failureOf(error).subject).toBe(field);
  });

  it("replaces a schedule over the etag that was read, and no other (B31)", async () => {
    const kept = await keep({ scheduleId: "changed" });
    const paused = await client.updateSchedule({ schedule: { ...kept, paused: true } });
    expect(paused.schedule).toMatchObject({ paused: true });
    expect(paused.schedule?.nextTime).toBeUndefined();
    const stale = await refusal(client.updateSchedule({ schedule: kept }));
    expect([stale.code, reasonOf(stale)]).toEqual([Code.Aborted, Reason.ETAG_MISMATCH]);
    const unnamed = await refusal(client.updateSchedule({ schedule: { ...kept, etag: "" } }));
    expect(reasonOf(unnamed)).toBe(Reason.FIELD_FORMAT);
    expect(reasonOf(await refusal(client.deleteSchedule({ scheduleId: "changed", etag: kept.etag })))).toBe(
      Reason.ETAG_MISMATCH,
    );
    await client.deleteSchedule({ scheduleId: "changed", etag: paused.schedule?.etag ?? "" });
    expect(reasonOf(await refusal(client.getSchedule({ scheduleId: "changed" })))).toBe(Reason.NOT_FOUND);
    expect(reasonOf(await refusal(client.deleteSchedule({ scheduleId: "changed" })))).toBe(Reason.NOT_FOUND);
  });

  it("lists by id, page by page", async () => {
    for (const scheduleId of ["zb", "za", "zc"]) await keep({ scheduleId });
    const ids: string[] = [];
    for (let pageToken = ""; ; ) {
      const page = await client.listSchedules({ pageSize: 2, pageToken });
      ids.push(...page.schedules.map(({ scheduleId }) => scheduleId));
      pageToken = page.nextPageToken;
      if (!pageToken) break;
    }
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids.slice(-3)).toEqual(["za", "zb", "zc"]);
  });
});
