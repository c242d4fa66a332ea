import { Code } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";

/** A reason that an error can carry: every value of the enum but the unset one. */
export type NamedReason = Exclude<Reason, Reason.UNSPECIFIED>;

/** What the orchestrator knows of a reason, whatever the single error says. */
export interface ReasonEntry {
  /** Code that it travels with, in gRPC, Connect and (by Connect's own mapping) HTTP. */
  readonly code: Code;
  /** The reason as a sentence for people, used where an error has no better message. */
  readonly title: string;
  /** What to do about it. */
  readonly help: string;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean;
}

/** `ErrorInfo.domain` of every error that the orchestrator answers with. */
export const ERROR_DOMAIN = "odg.dev";

/** Page that documents every reason, one heading each; `helpLink` adds the anchor. */
export const HELP_PAGE = "docs/reference/errors.md";

/** The one table of errors: code, words and retry behaviour of each {@link Reason}. */
export const REASONS: Readonly<Record<NamedReason, ReasonEntry>> = {
  [Reason.MALFORMED_JSON]: {
    code: Code.InvalidArgument,
    title: "The text is not valid JSON.",
    help: "Send one complete JSON value in which no object has the same key twice.",
    retryable: false,
  },
  [Reason.FIELD_TYPE]: {
    code: Code.InvalidArgument,
    title: "A field has the wrong type.",
    help: "Give the field the type that its schema states; whole numbers must fit and have no fraction.",
    retryable: false,
  },
  [Reason.UNKNOWN_FIELD]: {
    code: Code.InvalidArgument,
    title: "A field is not known.",
    help: "Check the spelling of the field; remove it if nothing in the schema fits.",
    retryable: false,
  },
  [Reason.TOO_DEEP]: {
    code: Code.InvalidArgument,
    title: "The message is nested too deeply.",
    help: "Flatten the value: at most 100 levels of objects and arrays are read.",
    retryable: false,
  },
  [Reason.BAD_ENCODING]: {
    code: Code.InvalidArgument,
    title: "A text is not well encoded.",
    help: "Send texts as valid UTF-8, without lone surrogates and without NUL characters.",
    retryable: false,
  },
  [Reason.MESSAGE_TOO_LARGE]: {
    code: Code.ResourceExhausted,
    title: "The message is larger than the server reads.",
    help: "Send a smaller message, or name the data by path instead of sending it. Waiting does not help.",
    retryable: false,
  },
  [Reason.MALFORMED_PROTO]: {
    code: Code.InvalidArgument,
    title: "The bytes are not the protobuf message they should be.",
    help: "Encode the request with the published .proto files, and compress it as the headers say.",
    retryable: false,
  },
  [Reason.FIELD_FORMAT]: {
    code: Code.InvalidArgument,
    title: "A field breaks a rule of its schema.",
    help: "Mend the fields that the error lists; the rules stand beside them in the .proto.",
    retryable: false,
  },
  [Reason.DAG_INVALID]: {
    code: Code.InvalidArgument,
    title: "The workflow is not a valid graph of tasks.",
    help: "Mend every issue that the error lists; `odg validate` shows them with line and column.",
    retryable: false,
  },
  [Reason.DAG_TOO_LARGE]: {
    code: Code.InvalidArgument,
    title: "The workflow has too many tasks or edges.",
    help: "Split the workflow, or replace repeated tasks by `for_each`.",
    retryable: false,
  },
  [Reason.EXPERT_UNAVAILABLE]: {
    code: Code.FailedPrecondition,
    title: "No registered expert can do the task.",
    help: "List the experts with `odg expert list`; install the missing one, or mend the name, action or version range.",
    retryable: false,
  },
  [Reason.EXPR_INVALID]: {
    code: Code.InvalidArgument,
    title: "An expression is not valid.",
    help: "Mend the CEL expression at the place that the error names.",
    retryable: false,
  },
  [Reason.IDEMPOTENCY_CONFLICT]: {
    code: Code.AlreadyExists,
    title: "The request_id was used before with another body.",
    help: "Use a new request_id for a new request; repeat one only with the same body.",
    retryable: false,
  },
  [Reason.PATH_NOT_ALLOWED]: {
    code: Code.InvalidArgument,
    title: "The path may not be opened.",
    help: "Name data under one of the engine's data roots (ODG_DATA_ROOTS), without links that lead out of it.",
    retryable: false,
  },
  [Reason.EGRESS_DENIED]: {
    code: Code.PermissionDenied,
    title: "The host is not on the allow-list.",
    help: "Ask an operator to add the host to the egress allow-list.",
    retryable: false,
  },
  [Reason.DATA_CORRUPT]: {
    code: Code.InvalidArgument,
    title: "The data are broken.",
    help: "Write the file again from its source; it is cut, or its parts contradict each other.",
    retryable: false,
  },
  [Reason.DATA_TOO_LARGE]: {
    code: Code.ResourceExhausted,
    title: "The data pass a cap.",
    help: "Split the data, or ask an operator to raise the cap that the error names. Waiting does not help.",
    retryable: false,
  },
  [Reason.DATA_UNSUPPORTED]: {
    code: Code.InvalidArgument,
    title: "No reader knows the format of the data.",
    help: "Convert the data to a format that the error lists.",
    retryable: false,
  },
  [Reason.NOT_FOUND]: {
    code: Code.NotFound,
    title: "There is no such resource, or it is not yours to see.",
    help: "Check the id, and that you may see the resource.",
    retryable: false,
  },
  [Reason.STATE_INVALID]: {
    code: Code.FailedPrecondition,
    title: "The state of the resource does not allow this.",
    help: "Read the resource again and decide on what it is now.",
    retryable: false,
  },
  [Reason.BAD_PAGE_TOKEN]: {
    code: Code.InvalidArgument,
    title: "The page token does not belong to this list.",
    help: "Use the token of the page before, with the same filter, or start without one.",
    retryable: false,
  },
  [Reason.RESUME_EXPIRED]: {
    code: Code.OutOfRange,
    title: "The place to resume from is not in the journal.",
    help: "Watch again from the beginning: after_seq 0.",
    retryable: false,
  },
  [Reason.MODEL_NOT_CONFIGURED]: {
    code: Code.FailedPrecondition,
    title: "No model is configured.",
    help: "Configure a model in the engine, or use actions that need none.",
    retryable: false,
  },
  [Reason.KNOWLEDGE_NOT_CONFIGURED]: {
    code: Code.FailedPrecondition,
    title: "No knowledge base is configured.",
    help: "Configure a knowledge base in the engine, or use actions that need none.",
    retryable: false,
  },
  [Reason.CONTEXT_CONFLICT]: {
    code: Code.Aborted,
    title: "Another attempt wrote the same context key first.",
    help: "Nothing: the attempt is repeated on the newer value.",
    retryable: true,
  },
  [Reason.INPUT_INVALID]: {
    code: Code.InvalidArgument,
    title: "The input does not satisfy the action's schema.",
    help: "Mend the fields that the error lists; `odg expert list` shows the schema.",
    retryable: false,
  },
  [Reason.OUTPUT_INVALID]: {
    code: Code.Internal,
    title: "The expert's answer does not satisfy the action's schema.",
    help: "Tell the expert's author; its output schema and its code disagree.",
    retryable: false,
  },
  [Reason.EXPERT_FAILED]: {
    code: Code.Internal,
    title: "The expert failed.",
    help: "Read the log of the task; tell the expert's author if it fails again.",
    retryable: true,
  },
  [Reason.DEADLINE_EXCEEDED]: {
    code: Code.DeadlineExceeded,
    title: "The time allowed has passed.",
    help: "Allow more time, or ask for less.",
    retryable: true,
  },
  [Reason.CANCELLED]: {
    code: Code.Canceled,
    title: "The call was cancelled.",
    help: "Nothing, if you cancelled it; else start it again.",
    retryable: false,
  },
  [Reason.UNAVAILABLE]: {
    code: Code.Unavailable,
    title: "A part that is needed does not answer.",
    help: "Try again after a while; the error says how long where that is known.",
    retryable: true,
  },
  [Reason.UNAUTHENTICATED]: {
    code: Code.Unauthenticated,
    title: "The caller is not known.",
    help: "Send a valid token.",
    retryable: false,
  },
  [Reason.STORAGE_FULL]: {
    code: Code.ResourceExhausted,
    title: "There is no room left in the store.",
    help: "Free some room; the engine goes on by itself.",
    retryable: true,
  },
  [Reason.UNIMPLEMENTED]: {
    code: Code.Unimplemented,
    title: "The server does not do this.",
    help: "Check the method, the codec and the compression against what the server offers.",
    retryable: false,
  },
  [Reason.INTERNAL]: {
    code: Code.Internal,
    title: "internal error",
    help: "Give the request id to an operator; the server's log has the cause under it.",
    retryable: false,
  },
  [Reason.POLICY_DENIED]: {
    code: Code.PermissionDenied,
    title: "A policy does not allow this.",
    help: "Ask for the permission that the error names.",
    retryable: false,
  },
  [Reason.EXPERT_UNTRUSTED]: {
    code: Code.PermissionDenied,
    title: "The package of an expert is not what it says.",
    help: "Ask its publisher for a package whose signature holds, and whose names are its own.",
    retryable: false,
  },
  [Reason.APPROVAL_REJECTED]: {
    code: Code.FailedPrecondition,
    title: "A person denied the consent that the task waits for.",
    help: "Read the decider's reason; a fork of the run asks again.",
    retryable: false,
  },
  [Reason.APPROVAL_EXPIRED]: {
    code: Code.FailedPrecondition,
    title: "Nobody gave the consent that the task waits for in time.",
    help: "Name more approvers or a longer deadline; a fork of the run asks again.",
    retryable: false,
  },
  [Reason.ITEM_FAILED]: {
    code: Code.Internal,
    title: "An item of the task failed.",
    help: "Look at the failure of the item that the error names.",
    retryable: false,
  },
  [Reason.CHILD_RUN_FAILED]: {
    code: Code.Internal,
    title: "The run of the sub-workflow did not succeed.",
    help: "Look at the run that the error names.",
    retryable: false,
  },
  [Reason.ETAG_MISMATCH]: {
    code: Code.Aborted,
    title: "Somebody else changed the resource since it was read.",
    help: "Read it again, and make the change to what is there now.",
    retryable: false,
  },
  [Reason.EXPERT_CHANGED]: {
    code: Code.AlreadyExists,
    title: "The package of an expert is not what it was.",
    help: "Install the package that was there before, or publish the change under another version.",
    retryable: false,
  },
  [Reason.EXPERT_APPROVAL_REQUIRED]: {
    code: Code.FailedPrecondition,
    title: "The package of an expert asks for more than it was granted before.",
    help: "Look at what it asks for; an administrator approves it with `odg expert approve`.",
    retryable: false,
  },
};

/** Whether a reason is one of the table. */
export function isNamedReason(reason: Reason): reason is NamedReason {
  return reason in REASONS;
}

/** Name of a reason as on the wire, without the prefix of the enum: `DAG_INVALID`. */
export function reasonName(reason: Reason): string {
  return Reason[reason] ?? String(reason);
}

/** The reason of a wire name; undefined where no reason has it. */
export function reasonNamed(name: string): NamedReason | undefined {
  const value = Object.hasOwn(Reason, name) ? Reason[name as keyof typeof Reason] : undefined;
  return typeof value === "number" && isNamedReason(value) ? value : undefined;
}

/** Where a reason is documented: {@link HELP_PAGE} and its anchor. */
export function helpLink(reason: Reason): string {
  return `${HELP_PAGE}#${reasonName(reason).toLowerCase()}`;
}
