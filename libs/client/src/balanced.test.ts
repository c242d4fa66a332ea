// Several servers behind one client: who is asked, and what passes on to the next.
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type RpcServer, reasonOf, reject, startServer } from "@odg/rpc";
import { afterEach, describe, expect, it } from "vitest";
import { createClient, type OdgClient } from "./index.ts";

const RUN_ID = "01890a5d-ac96-774b-bcce-b302099a8057";
const REQUEST_ID = "7f0c2b1e-90ac-4c4b-8a70-0f6c2f4fd1aa";
const workflow = { source: { case: "workflowId" as const, value: "onboard_dataset" } };

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

/** A server that keeps the names of the methods that it was asked, and may refuse them. */
class Replica {
  readonly asked: string[] = [];
  refuse: (() => Error) | undefined;
  server!: RpcServer;

  async start(port = 0): Promise<this> {
    const answer = <T>(method: string, value: T): T => {
      this.asked.push(method);
      if (this.refuse) throw this.refuse();
      return value;
    };
    this.server = await startServer({
      port,
      drainMs: 2000,
      routes: (router) =>
        router.service(RunService, {
          startRun: () => answer("start", { run: { runId: RUN_ID } }),
          getRun: () => answer("get", { run: { runId: RUN_ID, status: RunStatus.SUCCEEDED } }),
          cancelRun: () => answer("cancel", { run: { runId: RUN_ID } }),
          watchRun: async function* () {
            yield answer("watch", { message: { case: "heartbeat" as const, value: {} } });
          },
        }),
    });
    closing.push(this.server);
    return this;
  }
}

async function pair(): Promise<[Replica, Replica, OdgClient]> {
  const [first, second] = [await new Replica().start(), await new Replica().start()];
  const client = createClient({ urls: [first.server.h2cUrl, second.server.h2cUrl] });
  closing.push(client);
  return [first, second, client];
}

const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
const unavailable = () => reject(Reason.UNAVAILABLE);

describe("calls to several servers", () => {
  it("take turns", async () => {
    const [first, second, client] = await pair();
    for (let i = 0; i < 6; i++) await client.runs.getRun({ runId: RUN_ID });
    expect([first.asked.length, second.asked.length]).toEqual([3, 3]);
  });

  it("go to the other where one cannot be reached, whatever the method, and come back when it can", async () => {
    const [first, second, client] = await pair();
    const port = Number(new URL(first.server.h2cUrl).port);
    await first.server.close();
    for (let i = 0; i < 4; i++) await client.runs.cancelRun({ runId: RUN_ID });
    expect(second.asked).toHaveLength(4);
    const back = await new Replica().start(port);
    await sleep(1100);
    for (let i = 0; i < 4; i++) await client.runs.cancelRun({ runId: RUN_ID });
    expect(back.asked).toHaveLength(2);
  });

  it("are repeated at the other where one says UNAVAILABLE, if they only read or bear a request_id", async () => {
    const [first, second, client] = await pair();
    first.refuse = unavailable;
    for (let i = 0; i < 3; i++) await client.runs.getRun({ runId: RUN_ID });
    for (let i = 0; i < 3; i++) await client.runs.startRun({ ...workflow, requestId: REQUEST_ID });
    expect(second.asked).toHaveLength(6);
    expect(first.asked.length).toBeGreaterThan(0);
  });

  it("are not repeated where they may have been worked on", async () => {
    const [first, second, client] = await pair();
    for (const replica of [first, second]) replica.refuse = unavailable;
    expect(reasonOf(await refusalOf(client.runs.cancelRun({ runId: RUN_ID })))).toBe(Reason.UNAVAILABLE);
    expect(reasonOf(await refusalOf(client.runs.startRun(workflow)))).toBe(Reason.UNAVAILABLE);
    expect([...first.asked, ...second.asked].sort()).toEqual(["cancel", "start"]);
  });

  it("are refused once where the refusal is the answer", async () => {
    const [first, second, client] = await pair();
    for (const replica of [first, second]) replica.refuse = () => reject(Reason.NOT_FOUND);
    expect(reasonOf(await refusalOf(client.runs.getRun({ runId: RUN_ID })))).toBe(Reason.NOT_FOUND);
    expect(first.asked.length + second.asked.length).toBe(1);
  });

  it("ask each server once, and end with the last error where none answers", async () => {
    const [first, second, client] = await pair();
    for (const replica of [first, second]) replica.refuse = unavailable;
    expect(reasonOf(await refusalOf(client.runs.getRun({ runId: RUN_ID })))).toBe(Reason.UNAVAILABLE);
    expect([first.asked.length, second.asked.length]).toEqual([1, 1]);
  });

  it("end at the caller's deadline, and are not passed on then", async () => {
    const [first, second, client] = await pair();
    for (const replica of [first, second]) replica.refuse = () => reject(Reason.DEADLINE_EXCEEDED);
    const error = await refusalOf(client.runs.getRun({ runId: RUN_ID }, { timeoutMs: 500 }));
    expect(error?.code).toBe(Code.DeadlineExceeded);
    expect(first.asked.length + second.asked.length).toBe(1);
  });

  it("begin their streams at the other, too", async () => {
    const [first, second, client] = await pair();
    await first.server.close();
    for (let i = 0; i < 2; i++) for await (const _ of client.runs.watchRun({ runId: RUN_ID }));
    expect(second.asked).toEqual(["watch", "watch"]);
  });
});
