import type { DescService } from "@bufbuild/protobuf";
import { ExpertCatalogService } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { WorkflowService } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import {
  connectTransport,
  type NodeRequest,
  type NodeResponse,
  type RpcLogger,
  type RpcServer,
  startServer,
  stderrLogger,
} from "@odg/rpc";
import type { GatewayConfig } from "./config.ts";
import { cors } from "./cors.ts";
import { type EngineHealth, watchEngineHealth } from "./engine-health.ts";
import { proxyRoutes } from "./proxy.ts";

/** The services that the gateway offers; HostService, which is for experts, is none of them. */
const SERVICES: readonly DescService[] = [RunService, WorkflowService, ScheduleService, ExpertCatalogService];

/**
 * Starts a gateway: the engine's services over Connect, gRPC-web and gRPC, for pages of the allowed origins and for
 * callers that are no pages. `GET /healthz` says that it lives, `GET /readyz` whether the engine takes calls as well.
 *
 * @throws the error of `listen`
 */
export async function startGateway(config: GatewayConfig, logger: RpcLogger = stderrLogger): Promise<RpcServer> {
  const transport = connectTransport(config.engineUrl, { compressed: false });
  const checkOrigin = cors(config.origins);
  const states: { engine?: EngineHealth } = {};
  const server = await startServer({
    host: config.host,
    port: config.port,
    http1Port: config.httpPort,
    drainMs: config.drainMs,
    readMaxBytes: config.maxRequestBytes,
    logger,
    routes: proxyRoutes(SERVICES, {
      transport,
      callTimeoutMs: config.callTimeoutMs,
      silenceMs: config.silenceMs,
      logger,
    }),
    first: (request, response) =>
      checkOrigin(request, response) || answerProbe(request, response, states.engine?.serving ?? false),
  }).catch((error: unknown) => {
    transport.close();
    throw error;
  });
  const engine = watchEngineHealth(transport, (serving) => {
    for (const name of ["", ...SERVICES.map(({ typeName }) => typeName)]) server.health.set(name, serving);
    logger.info({ serving }, serving ? "the engine takes calls" : "the engine does not take calls");
  });
  states.engine = engine;
  return {
    ...server,
    close: async () => {
      engine.stop();
      await server.close();
      transport.close();
    },
  };
}

/** What a load balancer or a kubelet asks by plain HTTP. */
function answerProbe(request: NodeRequest, response: NodeResponse, ready: boolean): boolean {
  const probe = PROBES[request.url?.split("?", 1)[0] ?? ""];
  if (probe === undefined || (request.method !== "GET" && request.method !== "HEAD")) return false;
  const well = probe === "live" || ready;
  response.statusCode = well ? 200 : 503;
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-store");
  response.end(JSON.stringify({ status: well ? "ok" : "the engine does not take calls" }));
  return true;
}

const PROBES: Readonly<Record<string, "live" | "ready">> = Object.assign(Object.create(null), {
  "/healthz": "live",
  "/readyz": "ready",
});
