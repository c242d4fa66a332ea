import { randomUUID } from "node:crypto";

/** Header that carries the id of a request, in and out. */
export const REQUEST_ID_HEADER = "x-request-id";

/** The id that a request brings, if it is a plain token of at most 128 characters; else a new UUID. */
export function requestIdFrom(header: Headers): string {
  const given = header.get(REQUEST_ID_HEADER);
  return given !== null && /^[A-Za-z0-9._:/+=-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Makes sure that the header carries an id, and answers it. */
export function ensureRequestId(header: Headers): string {
  const id = requestIdFrom(header);
  header.set(REQUEST_ID_HEADER, id);
  return id;
}
