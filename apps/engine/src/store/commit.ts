import type { Statement } from "./connections.ts";
import { RowSet } from "./row-set.ts";

/** Rows of every commit. */
export const run = new RowSet(
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
export const event = new RowSet({ n: "int", seq: "bigint", kind: "text", at: "int", len: "int" }, run.next);
export const task = new RowSet({ n: "int", task: "int", status: "smallint", at: "int", len: "int" }, event.next);
const bytes = `$${task.next}::bytea`;

/** Rows of runs that begin; with them goes which engine drives them. */
export const first = new RowSet(
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
  task.next + 1,
);
const owner = `$${first.next}::text`;
const ownerFence = `$${first.next + 1}::bigint`;

/** Rows that few appends have. */
export const label = new RowSet({ n: "int", label: "text" }, first.next + 2);
export const snapshot = new RowSet({ n: "int", seq: "bigint", at: "int", len: "int" }, label.next);
export const blob = new RowSet({ n: "int", digest: "text", at: "int", len: "int" }, snapshot.next);
export const consent = new RowSet(
  { n: "int", task: "int", status: "smallint", request_time: "timestamptz", at: "int", len: "int" },
  blob.next,
);

// Wrapped by `is true`, so that Postgres hashes the sub-select and does not join: it takes every array for one of ten elements.
const isKept = "(n in (select n from kept)) is true";
const cut = `substring(${bytes} from at for len)`;

// `recursive` only lets the parts name one that comes after them.
const STEPS = `
with recursive run as (
  select * from ${run.source}
), updated as (
  update runs r
  set status = run.status, end_time = run.end_time, last_seq = run.last, varying = substring(${bytes} from run.at for run.len)
  from run
  where run.before > 0 and r.run_id = run.run_id and r.fence = run.fence and r.last_seq = run.before
  returning run.n
), events as (
  insert into run_events (run_id, seq, kind, event)
  select ${run.at("run_id")}, seq, kind, ${cut} from ${event.source} where ${isKept}
), tasks as (
  insert into run_tasks (run_id, task, status, state)
  select ${run.at("run_id")}, task, status, ${cut} from ${task.source} where ${isKept}
  on conflict (run_id, task) do update set status = excluded.status, state = excluded.state
)`;

const STARTS = `, first as (
  select * from ${first.source}
), inserted as (
  insert into runs (run_id, workflow_id, workflow_version, status, create_time, end_time, last_seq, request_id, request_hash, run,
    first_tasks, varying, user_name, owner, owner_fence, fence)
  select ${run.at("run_id")}, workflow_id, version, ${run.at("status")}, create_time, ${run.at("end_time")}, ${run.at("last")},
    request_id, request_hash, ${cut}, substring(${bytes} from tasks_at for tasks_len),
    substring(${bytes} from ${run.at("at")} for ${run.at("len")}), user_name, ${owner}, ${ownerFence}, ${run.at("fence")}
  from first on conflict do nothing returning run_id
)`;

const MORE = `, labels as (
  insert into run_labels (label, run_id)
  select label, ${run.at("run_id")} from ${label.source} where ${isKept}
), snapshots as (
  insert into run_snapshots (run_id, seq, snapshot)
  select ${run.at("run_id")}, seq, ${cut} from ${snapshot.source} where ${isKept}
  on conflict (run_id) do update set seq = excluded.seq, snapshot = excluded.snapshot
), kept_blobs as (
  insert into blobs (digest, bytes)
  select decode(digest, 'hex'), ${cut} from ${blob.source} where ${isKept}
  on conflict do nothing
), consents as (
  insert into approvals (run_id, task, status, request_time, approval)
  select ${run.at("run_id")}, task, status, request_time, ${cut} from ${consent.source} where ${isKept}
  on conflict (run_id, task) do update set status = excluded.status, approval = excluded.approval
)`;

const KEPT = "select n from updated";
const KEPT_FIRST = `select n from first where (${run.at("run_id")} in (select run_id from inserted)) is true`;

/**
 * Each makes a batch of appends durable by one statement, hence in one round trip and one transaction: it checks fence and place of every run
 * while it updates the run's row, and writes the rest of an append only where that holds. All bytes travel in one parameter, of which the rows are
 * cut. It answers the numbers of the appends that were kept. There are three, as a part that has nothing to do costs time all the same.
 */
export const COMMIT = {
  /** Runs that are under way. */
  steps: statement("odg_steps", STEPS, KEPT),
  /** And runs that begin. */
  starts: statement("odg_starts", `${STEPS}${STARTS}`, `${KEPT} union all ${KEPT_FIRST}`),
  /** And what few appends have. */
  all: statement("odg_all", `${STEPS}${STARTS}${MORE}`, `${KEPT} union all ${KEPT_FIRST}`),
};

function statement(name: string, parts: string, kept: string): Statement {
  return { name, text: `${parts}, kept as (${kept}) select n from kept` };
}
