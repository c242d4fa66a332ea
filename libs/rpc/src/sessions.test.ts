// Connections whose errors Connect's own manager lets through to the process: vitest fails on an error that nobody catches.
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { describe, expect, it } from "vitest";
import { closing, refusalOf, serve } from "../test/clients.ts";
import { RUN_ID } from "../test/wire.ts";
import { type ConnectTransportOptions, connectTransport, failureOf, reasonOf } from "./index.ts";

function clientOf(url: string, options: ConnectTransportOptions = {}) {
  const transport = connectTransport(url, options);
  closing.push(transport);
  return createClient(RunService, transport);
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push({ close: () => void server.close() });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a peer that speaks HTTP/1.1 on the port", () => {
  it.each([{ protocol: "grpc" }, { protocol: "connect" }] as const)(
    "is named in an error of the call ($protocol), and ends no process",
    async (options) => {
      const url = await listening(http.createServer((_, response) => response.end("hello")));
      const client = clientOf(url, options);
      for (let i = 0; i < 3; i++) {
        const error = await refusalOf(client.listRuns({}));
        expect(reasonOf(error)).toBe(Reason.UNAVAILABLE);
        expect(error.rawMessage).toContain("does not speak HTTP/2");
        expect(failureOf(error).retryable).toBe(false);
      }
      await sleep(50);
    },
  );

  it("is named in an error of a stream", async () => {
    const url = await listening(http.createServer((_, response) => response.end("hello")));
    const watch = async () => {
      for await (const _ of clientOf(url).watchRun({ runId: RUN_ID }));
    };
    expect((await refusalOf(watch())).rawMessage).toContain("does not speak HTTP/2");
  });

  it("is no matter to a client that speaks HTTP/1.1 itself", async () => {
    const server = await serve();
    expect(await clientOf(server.http1Url ?? "", { http1: true }).listRuns({})).toMatchObject({ runs: [] });
  });
});

describe("a GOAWAY on an idle connection", () => {
  it("ends no process where the next call comes at that moment, and that call is answered", async () => {
    // A server of its own, which says GOAWAY after each answer.
    const server = http2.createServer();
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/proto" });
      stream.end();
      stream.once("close", () => stream.session?.goaway());
    });
    const client = clientOf(await listening(server), { protocol: "connect" });
    for (let i = 0; i < 50; i++) {
      expect(await client.listRuns({})).toMatchObject({ runs: [] });
      if (i % 2) await new Promise((resolve) => setImmediate(resolve));
    }
    await sleep(100);
  });
});
