import { blob, COMMIT, consent, event, first, label, run, snapshot, task } from "./commit.ts";
import type { Statement } from "./connections.ts";
import { type EncodedAppend, isoTime } from "./encode.ts";
import { labelsOf } from "./run-row.ts";

/** Which engine's runs begin with an append. */
export interface Owner {
  name: string;
  fence: bigint;
}

/** What makes a batch durable, in which no run comes twice. The n-th append has the number n + 1. */
export function commitOf(
  batch: readonly EncodedAppend[],
  owner: Owner | undefined,
): { statement: Statement; parameters: unknown[] } {
  const pack = new Pack();
  const rows = <T>(of: (one: EncodedAppend, n: number) => readonly T[]): T[] =>
    batch.flatMap((one, i) => of(one, i + 1));
  const more = [
    ...label.parameters(rows(labelRows)),
    ...snapshot.parameters(
      rows(({ append: { snapshot } }, n) => (snapshot ? [{ n, seq: snapshot.seq, ...pack.add(snapshot.bytes) }] : [])),
    ),
    ...blob.parameters(
      rows(({ append: { blobs = [] } }, n) => blobs.map(({ digest, bytes }) => ({ n, digest, ...pack.add(bytes) }))),
    ),
    ...consent.parameters(rows((one, n) => consentRows(one, n, pack))),
  ];
  const starts = first.parameters(rows((one, n) => firstRows(one, n, pack)));
  const steps = [
    ...run.parameters(batch.map((one, i) => runRow(one, i + 1, pack.add(one.varying)))),
    ...event.parameters(rows((one, n) => eventRows(one, n, pack))),
    ...task.parameters(
      rows(({ tasks }, n) => tasks.map(({ task, status, bytes }) => ({ n, task, status, ...pack.add(bytes) }))),
    ),
    pack.bytes(),
  ];
  const started = [...steps, ...starts, owner?.name ?? null, String(owner?.fence ?? 0n)];
  if (batch.some(hasMore)) return { statement: COMMIT.all, parameters: [...started, ...more] };
  if (batch.some(({ first }) => first)) return { statement: COMMIT.starts, parameters: started };
  return { statement: COMMIT.steps, parameters: steps };
}

function hasMore({ append: { run, snapshot, blobs }, first, consents }: EncodedAppend): boolean {
  if (snapshot || blobs?.length || consents.length > 0) return true;
  return first !== undefined && Object.keys(run.labels).length > 0;
}

function labelRows({ append, first }: EncodedAppend, n: number) {
  return first ? labelsOf(append.run.labels).map((label) => ({ n, label })) : [];
}

function consentRows({ consents }: EncodedAppend, n: number, pack: Pack) {
  return consents.map(({ task, status, requestTime, bytes }) => ({
    n,
    task,
    status,
    request_time: requestTime,
    ...pack.add(bytes),
  }));
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

function firstRows({ append: { run, request }, first }: EncodedAppend, n: number, pack: Pack) {
  if (!first) return [];
  const fixed = pack.add(first.fixed);
  const tasks = pack.add(first.tasks);
  const row = {
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
  return [row];
}

function eventRows({ append, events }: EncodedAppend, n: number, pack: Pack) {
  return append.events.map(({ seq, kind }, i) => {
    const bytes = events[i];
    if (!bytes) throw new Error(`event ${seq} of run ${append.runId} was not encoded`);
    return { n, seq, kind: kind.case ?? "", ...pack.add(bytes) };
  });
}
