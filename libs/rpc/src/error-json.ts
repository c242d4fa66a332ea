import { type DescMessage, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "@odg/proto/google/rpc/error_details_pb";
import { presentable, reasonOf, requestIdOf } from "./errors.ts";
import { codeName } from "./http-status.ts";
import { helpLink, reasonName } from "./reasons.ts";

/** An error as JSON: the one shape of REST, GraphQL `extensions` and the CLI's `--json`. */
export interface ErrorJson {
  /** Code in Connect's spelling: `invalid_argument`. */
  readonly code: string;
  /** Reason in the spelling of `ErrorInfo.reason`: `DAG_INVALID`. */
  readonly reason: string;
  /** One sentence for people. */
  readonly message: string;
  /** google.rpc details, each with its `@type`. */
  readonly details: readonly JsonValue[];
  /** Id of the request; empty where the error comes from no request. */
  readonly request_id: string;
  /** Where the reason is documented. */
  readonly help: string;
}

const SHOWN: readonly DescMessage[] = [
  ErrorInfoSchema,
  BadRequestSchema,
  RetryInfoSchema,
  QuotaFailureSchema,
  PreconditionFailureSchema,
];

/** Any error in the shape of {@link ErrorJson}; the text of an error that is not ours does not show. */
export function toErrorJson(error: unknown, requestId = requestIdOf(error) ?? ""): ErrorJson {
  const shown = presentable(error, requestId);
  const reason = reasonOf(shown);
  return {
    code: codeName(shown.code),
    reason: reasonName(reason),
    message: shown.rawMessage,
    details: SHOWN.flatMap((schema) => detailsOf(shown, schema)),
    request_id: requestId,
    help: helpLink(reason),
  };
}

function detailsOf(error: ConnectError, schema: DescMessage): JsonValue[] {
  return error.findDetails(schema).map((detail) => ({
    "@type": `type.googleapis.com/${schema.typeName}`,
    ...(toJson(schema, detail) as Record<string, JsonValue>),
  }));
}
