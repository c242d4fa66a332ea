import type { WatchRunResponse } from "@odg/proto/odg/engine/v1/run_service_pb";
import type { ContextEntry } from "@odg/proto/odg/expert/v1/expert_pb";
import type { RunProjection } from "@odg/workflow";

/** Which keys, and from which place in the journal on. */
export interface WatchedKeys {
  keyPrefix: string;
  afterSeq: bigint;
}

/** Every key as the projection has it, then each change that the run's events tell. It feeds the projection with those events. */
export async function* watchContext(
  projection: RunProjection,
  events: AsyncIterable<WatchRunResponse>,
  { keyPrefix, afterSeq }: WatchedKeys,
): AsyncGenerator<ContextEntry> {
  const wanted = ({ key, seq }: ContextEntry) => key.startsWith(keyPrefix) && seq > afterSeq;
  yield* projection.context.entries().filter(wanted);
  for await (const { message } of events) {
    if (message.case !== "event" || !projection.apply(message.value)) continue;
    const { kind } = message.value;
    if (kind.case !== "taskCompleted") continue;
    for (const key of new Set(kind.value.contextWrites.map((write) => write.key))) {
      const entry = projection.context.get(key);
      if (entry && wanted(entry)) yield entry;
    }
  }
}
