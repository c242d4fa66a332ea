// Servers and clients that are closed after the test that opened them.
import { ConnectError, createClient } from "@connectrpc/connect";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { afterEach } from "vitest";
import { type ClosableTransport, connectTransport, type RpcServer } from "../src/index.ts";
import { startWire } from "./wire.ts";

/** Closed after each test, the last opened first. */
export const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

export async function serve(...args: Parameters<typeof startWire>): Promise<RpcServer> {
  const server = await startWire(...args);
  closing.push(server);
  return server;
}

export function transportTo(
  server: RpcServer,
  options: Parameters<typeof connectTransport>[1] = {},
): ClosableTransport {
  const transport = connectTransport(options.http1 ? (server.http1Url ?? "") : server.h2cUrl, options);
  closing.push(transport);
  return transport;
}

export const runs = (server: RpcServer, options: Parameters<typeof connectTransport>[1] = {}) =>
  createClient(RunService, transportTo(server, options));

export async function refusalOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error("the call was answered");
}

export async function collect<T>(messages: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const message of messages) into.push(message);
  return into;
}

export const hang = () => new Promise<never>(() => undefined);
export const beat = { message: { case: "heartbeat" as const, value: {} } };
