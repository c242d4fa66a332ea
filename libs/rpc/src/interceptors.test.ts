import { ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { expect, it } from "vitest";
import { closing, refusalOf, transportTo } from "../test/clients.ts";
import { memoryLogger, RUN_ID } from "../test/wire.ts";
import {
  inProcessTransport,
  memoryTransport,
  type Routes,
  reasonOf,
  reject,
  requestIdOf,
  serverInterceptors,
  startServer,
} from "./index.ts";

const logger = memoryLogger();

const WAYS: Record<string, (routes: Routes) => Promise<Transport> | Transport> = {
  "a server": async (routes) => {
    const server = await startServer({ routes, logger });
    closing.push(server);
    return transportTo(server);
  },
  "the router transport": (routes) => inProcessTransport(routes, { logger }),
  "the memory transport": (routes) => memoryTransport(routes, serverInterceptors({ logger })),
};

/** Gives the errors of a service their reason, as an adapter of an app would. */
const named: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    throw error instanceof ConnectError ? error : reject(Reason.NOT_FOUND, { cause: error });
  }
};

it.each(Object.entries(WAYS))(
  "the interceptors of one service come inside of the server's, not in their place: %s",
  async (_, open) => {
    const getRun = () => {
      throw new Error("no such file");
    };
    const transport = await open((router) => router.service(RunService, { getRun }, { interceptors: [named] }));
    const runs = createClient(RunService, transport);
    const refused = await refusalOf(runs.getRun({ runId: "no id" }));
    expect(reasonOf(refused)).toBe(Reason.FIELD_FORMAT);
    const failed = await refusalOf(runs.getRun({ runId: RUN_ID }));
    expect(reasonOf(failed)).toBe(Reason.NOT_FOUND);
    expect(requestIdOf(failed)).toBeTruthy();
  },
);
