import type { ConnectRouter } from "@connectrpc/connect";
import { type Schedule, ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import { pageSize, pageToken, placeOf } from "../page-token.ts";
import { adapterErrors } from "../run/failure.ts";
import type { Schedules } from "../schedule/schedules.ts";

const LIST = "schedules";

/** odg.engine.v1.ScheduleService. */
export function scheduleServiceRoutes(schedules: Schedules) {
  return (router: ConnectRouter): void => {
    router.service(
      ScheduleService,
      {
        createSchedule: async ({ schedule }) => ({ schedule: await schedules.create(given(schedule)) }),
        getSchedule: async ({ scheduleId }) => ({ schedule: await schedules.get(scheduleId) }),
        listSchedules: async (request) => {
          const limit = pageSize(request.pageSize);
          const after = placeOf(LIST, request.pageToken);
          const found = await schedules.list({ limit: limit + 1, ...(after ? { after } : {}) });
          const page = found.slice(0, limit);
          const last = page.at(-1)?.scheduleId;
          return { schedules: page, nextPageToken: found.length > limit && last ? pageToken(LIST, last) : "" };
        },
        updateSchedule: async ({ schedule }) => ({ schedule: await schedules.update(given(schedule)) }),
        deleteSchedule: async ({ scheduleId, etag }) => {
          await schedules.delete(scheduleId, etag);
          return {};
        },
      },
      { interceptors: [adapterErrors] },
    );
  };
}

function given(schedule: Schedule | undefined): Schedule {
  if (schedule) return schedule;
  throw reject(Reason.FIELD_FORMAT, { message: "the request holds no schedule", field: "schedule" });
}
