import type { Statement } from "./connections.ts";
import { type EncodedAppend, isoTime } from "./encode.ts";
import { RowSet } from "./row-set.ts";
import { labelsOf } from "./run-row.ts";

const run = new RowSet(
  {
    n: "int",
    run_id: "uuid",
    fence: "bigint",
    before: "bigint",
    last: "bigint",
    status: "smallint",
    end_time: "timestamptz",
    at: "int",
    len: "int",
  },
  1,
);
const first = new RowSet(
  {
    n: "int",
    workflow_id: "text",
    version: "text",
    create_time: "timestamptz",
    request_id: "uuid",
    request_hash: "text",
    user_name: "text",
    at: "int",
    len: "int",
    tasks_at: "int",
    tasks_len: "int",
  },
  run.next,
);
const label = new RowSet({ n: "int", label: "text" }, first.next);
const event = new RowSet({ n: "int", seq: "bigint", kind: "text", at: "int", len: "int" }, label.next);
const task = new RowSet({ n: "int", task: "int", status: "smallint", at: "int", len: "int" }, event.next);
const snapshot = new RowSet({ n: "int", seq: "bigint", at: "int", len: "int" }, task.next);
const blob = new RowSet({ n: "int", digest: "text", at: "int", len: "int" }, snapshot.next);
const consent = new RowSet(
  { n: "int", task: "int", status: "smallint", request_time: "timestamptz", at: "int", len: "int" },
  blob.next,
);
const bytes = `$${consent.next}::bytea`;
const owner = `$${consent.next + 1}::text`;
const ownerFence = `$${consent.next + 2}::bigint`;

// Wrapped by `is true`, so that Postgres hashes the sub-select and does not join: it takes every array for one of ten elements.
const isKept = "(n in (select n from kept)) is true";
const cut = `substring(${bytes} from at for len)`;

/**
 * Makes a batch of appends durable by one statement, hence in one round trip and one transaction. It checks fence and place of every
 * run while it updates the run's row, and writes the rest of an append only where that holds. All bytes travel in one parameter, of which the
 * rows are cut. Answers the numbers of the appends that were kept.
 */
export const COMMIT: Statement = {
  name: "odg_commit",
  text: `
with run as (
  select * from ${run.source}
), first as (
  select * from ${first.source}
), updated as (
  update runs r
  set status = run.status, end_time = run.end_time, last_seq = run.last, varying = substring(${bytes} from run.at for run.len)
  from run
  where run.before > 0 and r.run_id = run.run_id and r.fence = run.fence and r.last_seq = run.before
  returning run.n
), inserted as (
  insert into runs (run_id, workflow_id, workflow_version, status, create_time, end_time, last_seq, request_id, request_hash, run,
    first_tasks, varying, user_name, owner, owner_fence, fence)
  select ${run.at("run_id")}, workflow_id, version, ${run.at("status")}, create_time, ${run.at("end_time")}, ${run.at("last")},
    request_id, request_hash, ${cut}, substring(${bytes} from tasks_at for tasks_len), substring(${bytes} from ${run.at("at")} for ${run.at("len")}), user_name,
    ${owner}, ${ownerFence}, ${run.at("fence")}
  from first on conflict do nothing returning run_id
), kept as (
  select n from updated union all
  select n from first where (${run.at("run_id")} in (select run_id from inserted)) is true
), labels as (
  insert into run_labels (label, run_id)
  select label, ${run.at("run_id")} from ${label.source} where ${isKept}
), events as (
  insert into run_events (run_id, seq, kind, event)
  select ${run.at("run_id")}, seq, kind, ${cut} from ${event.source} where ${isKept}
), tasks as (
  insert into run_tasks (run_id, task, status, state)
  select ${run.at("run_id")}, task, status, ${cut} from ${task.source} where ${isKept}
  on conflict (run_id, task) do update set status = excluded.status, state = excluded.state
), snapshots as (
  insert into run_snapshots (run_id, seq, snapshot)
  select ${run.at("run_id")}, seq, ${cut} from ${snapshot.source} where ${isKept}
  on conflict (run_id) do update set seq = excluded.seq, snapshot = excluded.snapshot
), kept_values as (
  insert into blobs (digest, bytes)
  select decode(digest, 'hex'), ${cut} from ${blob.source} where ${isKept}
  on conflict do nothing
), consents as (
  insert into approvals (run_id, task, status, request_time, approval)
  select ${run.at("run_id")}, task, status, request_time, ${cut} from ${consent.source} where ${isKept}
  on conflict (run_id, task) do update set status = excluded.status, approval = excluded.approval
)
select n from kept`,
};

/** Which engine's runs begin with an append. */
export interface Owner {
  name: string;
  fence: bigint;
}

/** The parameters of {@link COMMIT} for a batch in which no run comes twice. The n-th append has the number n + 1. */
export function commitParameters(batch: readonly EncodedAppend[], owner: Owner | undefined): unknown[] {
  const pack = new Pack();
  const starts = batch.flatMap((one, i) =>
    one.first ? [firstRow(one, i + 1, [pack.add(one.first.fixed), pack.add(one.first.tasks)])] : [],
  );
  const parameters = [
    ...run.parameters(batch.map((one, i) => runRow(one, i + 1, pack.add(one.varying)))),
    ...first.parameters(starts),
    ...label.parameters(
      batch.flatMap(({ append, first }, i) =>
        first ? labelsOf(append.run.labels).map((label) => ({ n: i + 1, label })) : [],
      ),
    ),
    ...event.parameters(batch.flatMap((one, i) => eventRows(one, i + 1, pack))),
    ...task.parameters(
      batch.flatMap(({ tasks }, i) =>
        tasks.map((row) => ({ n: i + 1, task: row.task, status: row.status, ...pack.add(row.bytes) })),
      ),
    ),
    ...snapshot.parameters(
      batch.flatMap(({ append }, i) =>
        append.snapshot ? [{ n: i + 1, seq: append.snapshot.seq, ...pack.add(append.snapshot.bytes) }] : [],
      ),
    ),
    ...blob.parameters(
      batch.flatMap(({ append }, i) =>
        (append.blobs ?? []).map(({ digest, bytes }) => ({ n: i + 1, digest, ...pack.add(bytes) })),
      ),
    ),
    ...consent.parameters(
      batch.flatMap(({ consents }, i) =>
        consents.map((row) => ({
          n: i + 1,
          task: row.task,
          status: row.status,
          request_time: row.requestTime,
          ...pack.add(row.bytes),
        })),
      ),
    ),
  ];
  return [...parameters, pack.bytes(), owner?.name ?? null, String(owner?.fence ?? 0n)];
}

interface Place {
  at: number;
  len: number;
}

/** Bytes in a row; places count from 1, as Postgres does. */
class Pack {
  #parts: Uint8Array[] = [];
  #end = 1;

  add(part: Uint8Array): Place {
    const place = { at: this.#end, len: part.length };
    this.#parts.push(part);
    this.#end += part.length;
    return place;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function runRow({ append }: EncodedAppend, n: number, place: Place) {
  const { runId, fence = 0n, events, run } = append;
  const [head, last] = [events[0]?.seq, events.at(-1)?.seq];
  return {
    n,
    run_id: runId,
    fence,
    before: head === undefined ? run.lastSeq : head - 1n,
    last: last ?? run.lastSeq,
    status: run.status,
    end_time: isoTime(run.endTime),
    ...place,
  };
}

function firstRow({ append: { run, request } }: EncodedAppend, n: number, [fixed, tasks]: [Place, Place]) {
  return {
    n,
    workflow_id: run.workflowId,
    version: run.workflowVersion,
    create_time: isoTime(run.createTime) ?? new Date(0).toISOString(),
    request_id: request?.id ?? null,
    request_hash: request?.hash ?? null,
    user_name: run.user,
    ...fixed,
    tasks_at: tasks.at,
    tasks_len: tasks.len,
  };
}

function eventRows({ append, events }: EncodedAppend, n: number, pack: Pack) {
  return append.events.map(({ seq, kind }, i) => {
    const bytes = events[i];
    if (!bytes) throw new Error(`event ${seq} of run ${append.runId} was not encoded`);
    return { n, seq, kind: kind.case ?? "", ...pack.add(bytes) };
  });
}
