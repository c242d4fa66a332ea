// Which pages of a browser may call: https://fetch.spec.whatwg.org/#http-cors-protocol

import { cors as connectCors } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type NodeRequest, type NodeResponse, REQUEST_ID_HEADER, reject, USER_HEADER } from "@odg/rpc";

const ALLOWED_METHODS = connectCors.allowedMethods.join(", ");
const ALLOWED_HEADERS = [...connectCors.allowedHeaders, REQUEST_ID_HEADER, USER_HEADER, "Authorization"].join(", ");
const EXPOSED_HEADERS = [...connectCors.exposedHeaders, REQUEST_ID_HEADER].join(", ");
/** Seconds that a browser may remember an answer to its preflight; two hours are what Chromium grants at most. */
const MAX_AGE_S = 7200;

/** Answers preflights, marks what a page may read, and refuses pages of other origins; true where it has answered. */
export type Cors = (request: NodeRequest, response: NodeResponse) => boolean;

/**
 * CORS for exactly these origins. A request that names another origin is refused before it is read, so that it does
 * nothing even where the browser would only have hidden the answer. A request without an origin comes from no page.
 *
 * @throws reject(POLICY_DENIED), from the function it answers
 */
export function cors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  return (request, response) => {
    response.setHeader("vary", "Origin");
    const { origin } = request.headers;
    if (origin === undefined) return false;
    if (!allowed.has(origin)) {
      throw reject(Reason.POLICY_DENIED, {
        message: "Pages of this origin may not call the gateway.",
        hint: "Add the origin of the page to ODG_GATEWAY_ORIGINS.",
      });
    }
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) return false;
    response.setHeader("access-control-allow-methods", ALLOWED_METHODS);
    response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
    response.setHeader("access-control-max-age", String(MAX_AGE_S));
    response.statusCode = 204;
    response.end();
    return true;
  };
}
