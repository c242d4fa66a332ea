import {
  type DescMessage,
  fromBinary,
  type fromJson,
  fromJsonString,
  type JsonValue,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "./errors.ts";
import { locateJsonFault } from "./json-fault.ts";
import { pathOfBadText } from "./text.ts";

/** Levels of objects and arrays that JSON may nest, also inside Struct and Value. */
export const MAX_JSON_DEPTH = 100;

/**
 * Levels of protobuf messages that are read. One level of JSON in a Struct is two messages (Struct or ListValue, and
 * Value), so this admits what {@link MAX_JSON_DEPTH} admits, with room for the messages around it.
 */
export const MAX_MESSAGE_DEPTH = 2 * MAX_JSON_DEPTH + 10;

/** How JSON is read. */
export interface JsonDecoding {
  /** `refuse` for files and REST, where an unknown field is a typo; `ignore` (default) for RPC, where it is a newer client. */
  readonly unknownFields?: "ignore" | "refuse";
  /** Needed where messages hold `google.protobuf.Any`. */
  readonly registry?: Registry;
}

/**
 * Reads a message from JSON bytes or text.
 *
 * @throws reject(MALFORMED_JSON | TOO_DEEP | BAD_ENCODING | FIELD_TYPE | UNKNOWN_FIELD), with the path of the field
 */
export function decodeJson<Desc extends DescMessage>(
  desc: Desc,
  json: Uint8Array | string,
  decoding: JsonDecoding = {},
): MessageShape<Desc> {
  const text = typeof json === "string" ? json : decodeUtf8(json);
  if (text.trim() === "") throw reject(Reason.MALFORMED_JSON, { message: "The JSON text is empty." });
  checkDepth(text);
  // Lone surrogates reach a decoded text only as escapes; in a string given as such they can stand as they are.
  if (text.includes("\\u") || !text.isWellFormed()) checkTexts(parseJson(text));
  const options = {
    ignoreUnknownFields: decoding.unknownFields !== "refuse",
    recursionLimit: MAX_MESSAGE_DEPTH,
    registry: decoding.registry,
  };
  try {
    return fromJsonString(desc, text, options);
  } catch (cause) {
    // Only a refused text is parsed again: this branch alone pays for the exact place.
    throw jsonRejection(desc, { json: parseJson(text), options, cause });
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw reject(Reason.BAD_ENCODING, { message: "The text is not valid UTF-8.", cause });
  }
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    // The parser's own message quotes the text, which may hold anything.
    const position = cause instanceof Error ? /at position (\d+)/.exec(cause.message)?.[1] : undefined;
    const where = position === undefined ? "" : ` (at character ${position})`;
    throw reject(Reason.MALFORMED_JSON, { message: `The text is not valid JSON${where}.`, cause });
  }
}

/** Refuses text that nests deeper than {@link MAX_JSON_DEPTH}; the text need not be valid JSON. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x22) i = endOfString(text, i);
    else if (char === 0x7b || char === 0x5b) depth++;
    else if (char === 0x7d || char === 0x5d) depth--;
    if (depth > MAX_JSON_DEPTH) {
      throw reject(Reason.TOO_DEEP, { message: `The JSON nests deeper than ${MAX_JSON_DEPTH} levels.` });
    }
  }
}

function endOfString(text: string, open: number): number {
  let close = open + 1;
  while (close < text.length && text.charCodeAt(close) !== 0x22) close += text.charCodeAt(close) === 0x5c ? 2 : 1;
  return close;
}

function checkTexts(value: unknown): void {
  const field = pathOfBadText(value);
  if (field === undefined) return;
  const message = "A text holds a NUL character or a lone surrogate.";
  throw reject(Reason.BAD_ENCODING, { message, fields: [{ field, description: message }] });
}

interface RefusedJson {
  readonly json: JsonValue;
  readonly options: Parameters<typeof fromJson>[2];
  readonly cause: unknown;
}

function jsonRejection(desc: DescMessage, { json, options, cause }: RefusedJson): Error {
  const fault = locateJsonFault(desc, json, options);
  if (fault === undefined) {
    const message = "The JSON names the same key, field or oneof twice.";
    return reject(Reason.MALFORMED_JSON, { message, cause });
  }
  const reason = fault.unknown ? Reason.UNKNOWN_FIELD : Reason.FIELD_TYPE;
  const message = fault.path === "" ? `The body ${fault.problem}.` : `${fault.path} ${fault.problem}.`;
  return reject(reason, { message, fields: [{ field: fault.path, description: fault.problem }], cause });
}

/**
 * Reads a message from protobuf bytes.
 *
 * @throws reject(MALFORMED_PROTO | TOO_DEEP | BAD_ENCODING)
 */
export function decodeBinary<Desc extends DescMessage>(desc: Desc, bytes: Uint8Array): MessageShape<Desc> {
  let message: MessageShape<Desc>;
  try {
    message = fromBinary(desc, bytes, { recursionLimit: MAX_MESSAGE_DEPTH });
  } catch (cause) {
    throw binaryRejection(desc, cause);
  }
  // A NUL in a text is a zero byte on the wire; most messages have none, and are not walked.
  if (bytes.includes(0)) checkTexts(message);
  return message;
}

function binaryRejection(desc: DescMessage, cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : "";
  if (text.includes("recursion depth")) {
    return reject(Reason.TOO_DEEP, { message: `The message nests deeper than ${MAX_MESSAGE_DEPTH} messages.`, cause });
  }
  if (cause instanceof TypeError && "code" in cause && cause.code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
    return reject(Reason.BAD_ENCODING, { message: "A text of the message is not valid UTF-8.", cause });
  }
  return reject(Reason.MALFORMED_PROTO, { message: `The bytes are no ${desc.typeName}.`, cause });
}
