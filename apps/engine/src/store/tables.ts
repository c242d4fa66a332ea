import type { ColumnType, Generated } from "kysely";
import type { DraftTables } from "./drafts-sql.ts";
import type { ScheduleTables } from "./schedules-sql.ts";
import type { VersionTables } from "./versions-sql.ts";

/** The tables of runs, experts and workflows, as Kysely sees them. The migrations make them. */
export interface Tables extends VersionTables, DraftTables, ScheduleTables {
  runs: {
    run_id: string;
    workflow_id: string;
    workflow_version: string;
    status: number;
    create_time: Date;
    end_time: Date | null;
    last_seq: bigint;
    request_id: string | null;
    request_hash: string | null;
    /** Run, what never changes: see run-row.ts. */
    run: Uint8Array;
    /** Run, only its tasks, as they were first. */
    first_tasks: Uint8Array;
    /** Run, what changes. */
    varying: Uint8Array;
    user_name: string;
    /** Name of the engine that drives it. */
    owner: string | null;
    /** Fence of that engine's membership. */
    owner_fence: bigint;
    fence: bigint;
  };
  /** `key=value`. */
  run_labels: { label: string; run_id: string };
  /** The tasks that have changed since. */
  run_tasks: { run_id: string; task: number; status: number; state: Uint8Array };
  run_events: { run_id: string; seq: bigint; kind: string; event: Uint8Array };
  run_snapshots: { run_id: string; seq: bigint; snapshot: Uint8Array };
  blobs: { digest: Uint8Array; bytes: Uint8Array };
  approvals: { run_id: string; task: number; status: number; request_time: Date; approval: Uint8Array };
  engines: { name: string; fence: bigint; lease_until: Date };
  run_requests: {
    request_id: Generated<bigint>;
    run_id: string;
    kind: string;
    body: Uint8Array;
    answer: Uint8Array | null;
    create_time: ColumnType<Date, never, never>;
  };
  experts: {
    expert_id: string;
    expert_name: string;
    version: string;
    capabilities: string[];
    model_backend: string;
    max_concurrent_tasks: number;
    average_latency_ms: number;
    status: string;
    placement: string;
    package_name: string;
    permissions: string;
    digest: string;
    publisher: string;
    approval: string;
  };
}
