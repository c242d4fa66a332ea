import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ownReason } from "@odg/rpc";

/** Methods that only read, by the verbs of https://google.aip.dev/130 and our own. */
const READS = /^(Get|List|Watch|Validate|Plan|Diff|Check)/;
/** Methods whose second call answers what the first one did: the .proto of each says so. */
const SAME_AGAIN = new Set(["PublishWorkflow", "SaveDraft", "PauseRun", "ResumeRun", "DecideApproval"]);

/** Whether a call may be made twice: it only reads, answers the same again, or bears a request_id. */
export function isRepeatable(method: DescMethod, input: MessageInitShape<DescMessage> | undefined): boolean {
  if (READS.test(method.name) || SAME_AGAIN.has(method.name)) return true;
  return input !== undefined && "requestId" in input && Boolean(input.requestId);
}

/** Codes of Node's errors by which a call has reached no server. */
const NEVER_ARRIVED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ENOENT"]);

/** Whether a call that failed so may succeed at another server. */
export function passesElsewhere(error: unknown, repeatable: boolean): boolean {
  if (!(error instanceof ConnectError)) return false;
  if (neverArrived(error)) return true;
  if (!repeatable || error.code === Code.DeadlineExceeded) return false;
  return error.code === Code.Unavailable || (!error.isWireError && ownReason(error) === undefined);
}

function neverArrived(error: ConnectError): boolean {
  if (error.isWireError) return false;
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if ("code" in one && typeof one.code === "string" && NEVER_ARRIVED.has(one.code)) return true;
    // https://www.rfc-editor.org/rfc/rfc9113#section-8.7: a refused stream was not worked on.
    if (one.message.includes("REFUSED_STREAM")) return true;
  }
  return false;
}
