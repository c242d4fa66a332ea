import { create } from "@bufbuild/protobuf";
import {
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "@odg/proto/grpc/health/v1/health_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { kDraining } from "./draining.ts";
import { reject } from "./errors.ts";
import type { Routes } from "./handler.ts";

/** State of the services of one server, served as `grpc.health.v1.Health`. The empty name is the server as a whole. */
export interface Health {
  /** Registers Check and Watch. */
  readonly routes: Routes;
  /** Says whether a service takes calls. */
  set(service: string, serving: boolean): void;
  /** Every service, and the server as a whole, stops taking calls; for good. */
  shutdown(): void;
}

/** Health of a server that takes calls; its services are made known by `set`, under their full names. */
export function createHealth(): Health {
  const states = new Map<string, Status>([["", Status.SERVING]]);
  const listeners = new Set<() => void>();
  let down = false;
  const notify = () => {
    for (const listener of listeners) listener();
  };
  const statusOf = (service: string) => states.get(service) ?? Status.SERVICE_UNKNOWN;
  return {
    routes: (router) =>
      router.service(HealthService, {
        check: ({ service }) => {
          if (!states.has(service))
            throw reject(Reason.NOT_FOUND, { message: "There is no such service.", field: "service" });
          return response(statusOf(service));
        },
        watch: ({ service }, context) =>
          changes({
            read: () => statusOf(service),
            listeners,
            signal: AbortSignal.any([context.signal, context.values.get(kDraining)]),
          }),
      }),
    set: (service, serving) => {
      if (down) return;
      states.set(service, serving ? Status.SERVING : Status.NOT_SERVING);
      notify();
    },
    shutdown: () => {
      down = true;
      for (const service of states.keys()) states.set(service, Status.NOT_SERVING);
      notify();
    },
  };
}

interface Watching {
  readonly read: () => Status;
  readonly listeners: Set<() => void>;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

async function* changes({ read, listeners, signal }: Watching): AsyncGenerator<HealthCheckResponse> {
  let wake = Promise.withResolvers<void>();
  const listener = () => wake.resolve();
  listeners.add(listener);
  signal.addEventListener("abort", listener, { once: true });
  try {
    let last: Status | undefined;
    for (;;) {
      const status = read();
      if (status !== last) yield response(status);
      last = status;
      if (signal.aborted) return;
      if (read() === last) await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  } finally {
    listeners.delete(listener);
    signal.removeEventListener("abort", listener);
  }
}

function response(status: Status): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status });
}
