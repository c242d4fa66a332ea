import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { inProcessTransport, type Routes, reasonOf, startServer, USER_HEADER } from "@odg/rpc";
import { describe, expect, it } from "vitest";
import { createClient } from "./index.ts";

const RUN_ID = "01890a5d-ac96-774b-bcce-b302099a8057";

function listening() {
  const seen: (string | null)[] = [];
  const routes: Routes = (router) => {
    router.service(RunService, {
      pauseRun: (_, { requestHeader }) => {
        seen.push(requestHeader.get(USER_HEADER));
        return {};
      },
      watchRun: async function* (_, { requestHeader }) {
        seen.push(requestHeader.get(USER_HEADER));
        yield { message: { case: "event", value: { seq: 1n, kind: { case: "runCompleted", value: {} } } } };
      },
    });
    router.service(ScheduleService, {
      deleteSchedule: (_, { requestHeader }) => {
        seen.push(requestHeader.get(USER_HEADER));
        return {};
      },
    });
  };
  return { seen, routes };
}

describe("a client with a user", () => {
  it("says with every call and stream who asks, in process and over the wire", async () => {
    const { seen, routes } = listening();
    const server = await startServer({ routes, drainMs: 50 });
    const remote = createClient({ url: server.h2cUrl, user: "ada lovelace" });
    const here = createClient({ transport: inProcessTransport(routes), user: "ada lovelace" });
    for (const client of [here, remote]) {
      await client.runs.pauseRun({ runId: RUN_ID });
      await client.schedules.deleteSchedule({ scheduleId: "s" });
      for await (const message of client.watch(RUN_ID)) expect(message.case).toBe("event");
    }
    remote.close();
    await server.close();
    expect(seen).toEqual(Array.from({ length: 6 }, () => "ada lovelace"));
  });

  it("says nothing where there is none", async () => {
    const { seen, routes } = listening();
    await createClient({ transport: inProcessTransport(routes) }).runs.pauseRun({ runId: RUN_ID });
    expect(seen).toEqual([null]);
  });

  it.each(["", " ada", "ada\nx-admin: 1", "Zoë", "a".repeat(257)])("refuses the name %j", (user) => {
    try {
      createClient({ transport: inProcessTransport(listening().routes), user });
      expect.unreachable();
    } catch (error) {
      expect(reasonOf(error)).toBe(Reason.FIELD_FORMAT);
    }
  });
});
