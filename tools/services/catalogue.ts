import { chromium } from "./chromium.ts";
import { grpcurl } from "./grpcurl.ts";
import { postgres } from "./postgres.ts";
import { python } from "./python.ts";
import { redis } from "./redis.ts";
import type { Service } from "./service.ts";

/** Every service, in the order in which they are started. */
export const SERVICES: readonly Service[] = [postgres, redis, chromium, grpcurl, python];

/** The services with these names, or all of them when no name is given. */
export function servicesNamed(names: readonly string[]): readonly Service[] {
  if (names.length === 0) return SERVICES;
  return names.map((name) => {
    const service = SERVICES.find((candidate) => candidate.name === name);
    if (service) return service;
    throw new Error(`unknown service "${name}"; there are ${SERVICES.map((each) => each.name).join(", ")}`);
  });
}
