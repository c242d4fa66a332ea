import { fromBinary } from "@bufbuild/protobuf";
import type { DatasetProfile } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Event } from "@odg/proto/odg/run/v1/run_pb";
import { RunSnapshotSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import { reject } from "@odg/rpc";
import { RunProjection } from "@odg/workflow";
import type { Journal, Store } from "../store/store.ts";
import type { TakenUp } from "./active-run.ts";

/** Events that are read at once. */
const PAGE = 1000;

/** The journal of a run behind a place, read by pages, as far as it goes now. */
export async function* eventsOf(journal: Journal, runId: string, afterSeq = 0n): AsyncGenerator<Event> {
  for (let after = afterSeq; ; ) {
    const page = await journal.readEvents(runId, after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.seq;
  }
}

/** The refusal of a run id that nobody knows. */
export function noSuchRun() {
  return reject(Reason.NOT_FOUND, { message: "there is no such run", field: "run_id" });
}

/**
 * A run as its journal tells, from its newest snapshot on where there is one that can be read.
 *
 * @throws ConnectError with NOT_FOUND
 */
export async function loadRun(store: Store, runId: string): Promise<Omit<TakenUp, "profiles">> {
  const [first] = await store.readEvents(runId, 0n, 1);
  const stored = await store.readRun(runId);
  if (first?.kind.case !== "runStarted" || !stored) throw noSuchRun();
  const { snapshot, events } = stored;
  const started = first.kind.value;
  const restored = snapshot && RunProjection.restore(started, fromBinary(RunSnapshotSchema, snapshot.bytes));
  if (restored || !snapshot) {
    const projection = restored ?? new RunProjection();
    for (const event of events) projection.replay(event);
    return { started, projection, replayed: events.length };
  }
  // Another version took the snapshot.
  const projection = new RunProjection();
  let replayed = 0;
  for await (const event of eventsOf(store, runId)) {
    projection.replay(event);
    replayed++;
  }
  return { started, projection, replayed };
}

/** The profiles that a run's journal holds. */
export async function profilesOf(journal: Journal, runId: string): Promise<DatasetProfile[]> {
  const profiles: DatasetProfile[] = [];
  for await (const { kind } of eventsOf(journal, runId)) {
    if (kind.case === "datasetProfiled" && kind.value.profile) profiles.push(kind.value.profile);
  }
  return profiles;
}
