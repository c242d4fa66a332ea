import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";
import type { Runs } from "../run/runs.ts";
import type { Store } from "../store/store.ts";
import type { ScheduledRuns } from "./timekeeper.ts";

/** The runs of an engine, as its schedules begin them. */
export function scheduledRuns(runs: Runs, store: Store): ScheduledRuns {
  return {
    start: async (request, scheduleId) => (await runs.start(request, nameOf(scheduleId))).runId,
    begunBy: async (requestId) => (await store.findRequest(requestId))?.runId,
    isOpen: async (runId) => {
      const run = await store.getRun(runId);
      return run !== undefined && run.endTime === undefined;
    },
    cancel: async (runId, reason, scheduleId) => {
      try {
        await runs.control(runId, { kind: "cancel", reason, user: nameOf(scheduleId) });
      } catch (error) {
        // It ended in the same moment: what was wanted is there.
        if (reasonOf(error) !== Reason.STATE_INVALID) throw error;
      }
    },
  };
}

/** Who starts the runs of a schedule: nobody who might then decide about their consents. */
function nameOf(scheduleId: string): string {
  return `schedule:${scheduleId}`;
}
