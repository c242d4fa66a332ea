import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { BadRequestSchema, ErrorInfoSchema, HelpSchema } from "@odg/proto/google/rpc/error_details_pb";

/** What an HTTP client sees of a Connect call. */
export interface WireAnswer {
  status: number;
  /** The whole body, as it came. */
  text: string;
  code: string;
  message: string;
  reason: string;
  /** Paths of the fields at fault. */
  fields: string[];
  descriptions: string[];
  help: string;
  json: Record<string, unknown>;
}

interface ErrorBody {
  code?: string;
  message?: string;
  details?: { type: string; value: string }[];
}

/** Calls a method as Connect JSON over HTTP/1.1: `call(url, "RunService/StartRun", {…})`. */
export async function call(url: string, method: string, body: unknown): Promise<WireAnswer> {
  const response = await fetch(`${url}/odg.engine.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const json: Record<string, unknown> & ErrorBody = JSON.parse(text);
  const all = <D extends DescMessage>(schema: D): MessageShape<D>[] =>
    (json.details ?? [])
      .filter(({ type }) => type === schema.typeName)
      .map(({ value }) => fromBinary(schema, Buffer.from(value, "base64")));
  const violations = all(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  return {
    status: response.status,
    text,
    code: json.code ?? "",
    message: json.message ?? "",
    reason: all(ErrorInfoSchema)[0]?.reason ?? "",
    fields: violations.map(({ field }) => field),
    descriptions: violations.map(({ description }) => description),
    help: all(HelpSchema)[0]?.links[0]?.url ?? "",
    json,
  };
}
