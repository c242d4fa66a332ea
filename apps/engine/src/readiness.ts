import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import type { Health } from "@odg/rpc";

/** Between two looks at the store. */
const LOOK_MS = 250;
/** What is NOT_SERVING where runs cannot be kept: the server as a whole, and the service that needs the store for every call. */
const SERVICES = ["", RunService.typeName];

/**
 * Lets the health service say whether the store takes what this engine has to keep. A balancer then sends calls elsewhere; the process
 * lives on, and answers when the store does. Answers how to stop.
 */
export function tellReadiness(serving: () => boolean, health: Health): () => void {
  let last = true;
  const timer = setInterval(() => {
    const now = serving();
    if (now === last) return;
    last = now;
    for (const service of SERVICES) health.set(service, now);
  }, LOOK_MS);
  return () => clearInterval(timer);
}
