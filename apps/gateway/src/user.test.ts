// What the gateway hands on of schedules, and of who asks.
import { createClient } from "@connectrpc/connect";
import { ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { asUser, connectTransport, startServer, USER_HEADER } from "@odg/rpc";
import { memoryLogger } from "@odg/rpc/testing";
import { afterEach, expect, it } from "vitest";
import { readConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

function closed<T extends { close(): unknown }>(made: T): T {
  closing.push(made);
  return made;
}

it("the engine learns of a page's user, as of any other caller's", async () => {
  const seen: (string | null)[] = [];
  const engine = closed(
    await startServer({
      drainMs: 50,
      routes: (router) =>
        router.service(ScheduleService, {
          getSchedule: ({ scheduleId }, { requestHeader }) => {
            seen.push(requestHeader.get(USER_HEADER));
            return { schedule: { scheduleId } };
          },
        }),
    }),
  );
  const origins = ["https://console.example"];
  const config = { ...readConfig({}), httpPort: 0, port: 0, drainMs: 50, engineUrl: engine.h2cUrl, origins };
  const gateway = closed(await startGateway(config, memoryLogger()));
  const url = gateway.http1Url ?? "";
  const transport = closed(connectTransport(url, { http1: true }));
  const client = createClient(ScheduleService, asUser(transport, "ada"));
  expect((await client.getSchedule({ scheduleId: "nightly" })).schedule?.scheduleId).toBe("nightly");
  expect(seen).toEqual(["ada"]);
  const preflight = await fetch(`${url}/odg.engine.v1.ScheduleService/GetSchedule`, {
    method: "OPTIONS",
    headers: { origin: origins[0] ?? "", "access-control-request-method": "POST" },
  });
  expect(preflight.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(USER_HEADER);
});
