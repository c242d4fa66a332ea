import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@odg/proto/grpc/health/v1/health_pb";
import { ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";

/** How often an expert outside of the engine is asked whether it serves, and how long it has to say so. */
export const HEALTH_EVERY_MS = 2_000;
const ANSWER_MS = 2_000;

/** Whether an expert says that it serves. One without grpc.health.v1 serves where it answers Describe. */
export async function isServing(transport: Transport): Promise<boolean> {
  const options = { timeoutMs: ANSWER_MS };
  try {
    const { status } = await createClient(Health, transport).check({}, options);
    return status === Status.SERVING;
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unimplemented) return false;
  }
  return createClient(ExpertService, transport)
    .describe({}, options)
    .then(
      () => true,
      () => false, // What it says instead does not matter: it does not serve.
    );
}

/** Calls `look` every two seconds from the start of the last call, one at a time, until the answered function is called. */
export function repeat(look: () => Promise<void>, everyMs = HEALTH_EVERY_MS): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const after = (ms: number) => {
    timer = setTimeout(async () => {
      const began = performance.now();
      await look();
      if (!stopped) after(Math.max(0, everyMs - (performance.now() - began)));
    }, ms);
  };
  after(everyMs);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
