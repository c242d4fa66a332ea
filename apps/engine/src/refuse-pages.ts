import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type NodeRequest, reject } from "@odg/rpc";

/**
 * Refuses what a page in a browser sends, known by its Origin: pages call the gateway. Without this, a page of anybody
 * could reach an engine on its visitor's own machine, by a name of its own that leads to 127.0.0.1 (DNS rebinding).
 *
 * @throws reject(POLICY_DENIED)
 */
export function refusePages(request: Pick<NodeRequest, "headers">): false {
  if (request.headers.origin === undefined) return false;
  throw reject(Reason.POLICY_DENIED, {
    message: "Pages of a browser may not call the engine.",
    hint: "Call the gateway, and name the origin of the page in its ODG_GATEWAY_ORIGINS.",
  });
}
