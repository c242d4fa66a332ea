import type { IncomingMessage, ServerResponse } from "node:http";
import type { Calls } from "./calls.ts";
import { type PlannedFaults, parseFaults } from "./fault.ts";

export interface Control {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly calls: Calls;
  readonly planned: PlannedFaults;
}

/**
 * For tests in other processes: `GET /_simulator/calls` tells what arrived, `POST /_simulator/faults?faults=error&times=2` plans faults,
 * and without `faults` takes them back.
 */
export function control({ request, response, calls, planned }: Control): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  request.resume();
  const asked = `${request.method} ${pathname}`;
  if (asked === "GET /_simulator/calls") answer(response, 200, calls.counts());
  else if (asked === "POST /_simulator/faults") plan(searchParams, { response, planned });
  else answer(response, 404, { error: "no such method" });
}

function plan(query: URLSearchParams, { response, planned }: Pick<Control, "response" | "planned">): void {
  try {
    const times = query.get("times");
    planned.plan(parseFaults(query.get("faults") ?? ""), times === null ? undefined : Number(times));
    answer(response, 200, {});
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    answer(response, 400, { error: error.message });
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
