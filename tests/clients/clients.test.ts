// Each client that a caller may have starts a run and watches it to its end, at the engine and through the gateway.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolPath } from "../../tools/services/endpoints.ts";
import { connectJson, curl, grpcJs, grpcurl, grpcWeb, hasCurl, type MakeDriver, ownClient } from "./drive.ts";
import { napThenEcho, type OpenHouse, openHouse, STORY } from "./open-house.ts";

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house?.close());

const DRIVERS: Record<string, MakeDriver> = {
  "@grpc/grpc-js with the .proto files alone": grpcJs,
  "Connect by HTTP/1.1": connectJson,
  "gRPC-web": grpcWeb,
  ...(hasCurl() && { "curl with JSON": curl }),
  "the project's own client": ownClient,
  ...(toolPath("grpcurl") && { "grpcurl by reflection": grpcurl }),
};
const NO_RUN = "01890a5d-ac96-774b-bcce-b302099a8057";

describe.each(Object.entries(DRIVERS))("%s", (_, make) => {
  it.each(["engine", "gateway"] as const)("starts a run at the %s and watches it to its end", async (door) => {
    const client = make(house[door]);
    const runId = await client.start(napThenEcho());
    expect(runId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await client.watch(runId)).toEqual(STORY);
  });

  it("is told the same of a run that there is not, at the engine and through the gateway", async () => {
    const told = await Promise.all([house.engine, house.gateway].map((door) => make(door).refusal(NO_RUN)));
    for (const text of told) expect(text).toMatch(/not.?found/i);
    const ids = /[0-9a-f]{8}-[0-9a-f-]{27}|"value":"[^"]*"/g; // Ids of requests, which differ.
    const [direct, proxied] = told.map((text) => text.replaceAll(ids, ""));
    expect(proxied).toBe(direct);
  });
});

describe("a page of a browser", () => {
  it.each(["https://anybody.example", "null", "its own"])(
    "is refused by the engine and by the gateway that was not told of it: origin %s",
    async (from) => {
      for (const { http } of [house.engine, house.gateway]) {
        const origin = from === "its own" ? http : from; // As of a page whose name was led to this very machine.
        const response = await fetch(`${http}/odg.engine.v1.RunService/ListRuns`, {
          method: "POST",
          headers: { origin, "content-type": "application/json" },
          body: "{}",
        });
        expect(response.status).toBe(403);
        expect(await response.json()).toMatchObject({ reason: "POLICY_DENIED" });
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
      }
    },
  );
});

describe("a watch of the project's own client", () => {
  it("goes on where it was when the gateway is restarted", async () => {
    const client = ownClient(house.gateway);
    const runId = await client.start(napThenEcho(3000));
    const watching = client.watch(runId);
    await house.restartGateway();
    expect(await watching).toEqual(STORY);
  });

  it("goes on where it was when the engine behind the gateway crashes and is started again", async () => {
    const client = ownClient(house.gateway);
    const runId = await client.start(napThenEcho(3000));
    const watching = client.watch(runId);
    await sleep(500);
    await house.crashEngine();
    expect(await watching).toEqual(STORY); // What was under way is done again, as the attempt that it was.
  });
});
