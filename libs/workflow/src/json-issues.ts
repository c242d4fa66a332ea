import { type DescEnum, type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Issue, IssueList, quote } from "./issue.ts";
import { pathText } from "./path.ts";
import { scalarFault } from "./scalar.ts";
import type { Locate } from "./source-text.ts";
import { wellKnownFault } from "./well-known.ts";

/** Deepest nesting of a JSON text, Struct and Value included. */
export const MAX_DEPTH = 100;

/** Most values of one text: what aliases of YAML can blow up stays finite. */
const MAX_VALUES = 2_000_000;

/**
 * Everything that keeps a JSON value from being the message: FIELD_TYPE, UNKNOWN_FIELD, TOO_DEEP, BAD_ENCODING, and MALFORMED_JSON
 * where a field stands twice (once as `depends_on`, once as `dependsOn`). No issue quotes a value. A JSON value without issues is
 * accepted by protobuf-es' `fromJson`.
 *
 * @param locate Where the text is at hand: gives issues their line and column.
 */
export function jsonIssues(desc: DescMessage, json: JsonValue, locate?: Locate): Issue[] {
  const issues = new IssueList();
  new JsonCheck(issues, locate).message(desc, json);
  return issues.issues;
}

class JsonCheck {
  #issues: IssueList;
  #locate: Locate | undefined;
  #path: (string | number)[] = [];
  #values = 0;
  #stopped = false;

  constructor(issues: IssueList, locate: Locate | undefined) {
    this.#issues = issues;
    this.#locate = locate;
  }

  message(desc: DescMessage, json: JsonValue): void {
    if (this.#stops()) return;
    const special = wellKnownFault(desc, json);
    if (special !== undefined) {
      if (special !== "") this.#add(Reason.FIELD_TYPE, special);
      this.#texts(json);
    } else if (isObject(json)) this.#fields(desc, json);
    else this.#add(Reason.FIELD_TYPE, `An object is expected here, not ${kindOf(json)}.`);
  }

  #fields(desc: DescMessage, json: { [key: string]: JsonValue }): void {
    const seen = new Set<DescField>();
    const oneofs = new Set<string>();
    for (const key of Object.keys(json)) {
      this.#path.push(key);
      const field = desc.fields.find((candidate) => candidate.name === key || candidate.jsonName === key);
      if (field === undefined) this.#unknown(desc, key);
      else if (seen.has(field)) this.#add(Reason.MALFORMED_JSON, `${field.name} stands here twice.`);
      else if (json[key] !== null || acceptsNull(field)) {
        if (field.oneof !== undefined && oneofs.has(field.oneof.name)) {
          this.#add(
            Reason.FIELD_TYPE,
            `Only one of ${field.oneof.fields.map(({ name }) => name).join(", ")} may be set.`,
          );
        }
        if (field.oneof !== undefined) oneofs.add(field.oneof.name);
        this.#field(field, json[key]!);
      }
      if (field !== undefined) seen.add(field);
      this.#path.pop();
    }
  }

  #unknown(desc: DescMessage, key: string): void {
    this.#encoding(key);
    const names = desc.fields.map(({ name }) => name);
    const hint = this.#issues.didYouMean(key, names) ?? `Fields here: ${names.join(", ")}.`;
    this.#add(Reason.UNKNOWN_FIELD, `There is no field ${quote(key)}.`, hint);
  }

  #field(field: DescField, json: JsonValue): void {
    if (field.fieldKind === "list") this.#list(field, json);
    else if (field.fieldKind === "map") this.#map(field, json);
    else this.#single(field, json);
  }

  #list(field: DescField & { fieldKind: "list" }, json: JsonValue): void {
    if (!Array.isArray(json)) {
      this.#add(Reason.FIELD_TYPE, `A list is expected here, not ${kindOf(json)}.`);
      return;
    }
    json.forEach((element, i) => {
      this.#path.push(i);
      this.#single(field, element);
      this.#path.pop();
    });
  }

  #map(field: DescField & { fieldKind: "map" }, json: JsonValue): void {
    if (!isObject(json)) {
      this.#add(Reason.FIELD_TYPE, `An object is expected here, not ${kindOf(json)}.`);
      return;
    }
    for (const [key, element] of Object.entries(json)) {
      this.#path.push(key);
      this.#encoding(key);
      const written = field.mapKey === ScalarType.BOOL ? key === "true" || key : key;
      const fault = scalarFault(field.mapKey, written);
      if (fault !== undefined) this.#add(Reason.FIELD_TYPE, fault);
      this.#single(field, element);
      this.#path.pop();
    }
  }

  #single(field: Element, json: JsonValue): void {
    if (this.#stops()) return;
    if (field.message !== undefined) {
      this.message(field.message, json);
      return;
    }
    const fault = field.enum === undefined ? scalarFault(field.scalar!, json) : enumFault(field.enum, json);
    if (fault !== undefined) this.#add(Reason.FIELD_TYPE, fault);
    else if (typeof json === "string") this.#encoding(json);
  }

  // Free data: only its depth and its texts matter.
  #texts(json: JsonValue): void {
    if (this.#stops()) return;
    if (typeof json === "string") this.#encoding(json);
    else if (typeof json === "number" && !Number.isFinite(json))
      this.#add(Reason.FIELD_TYPE, "A finite number is expected here.");
    else if (Array.isArray(json)) for (const i of json.keys()) this.#inside(i, json[i]!);
    else if (isObject(json)) {
      for (const key of Object.keys(json)) {
        this.#inside(key, json[key]!);
        this.#encoding(key);
      }
    }
  }

  #inside(step: string | number, json: JsonValue): void {
    this.#path.push(step);
    this.#texts(json);
    this.#path.pop();
  }

  #encoding(text: string): void {
    if (!text.isWellFormed()) this.#add(Reason.BAD_ENCODING, "The text holds half a surrogate pair.");
    else if (text.includes("\0")) this.#add(Reason.BAD_ENCODING, "The text holds a NUL character.");
  }

  // After a value that is too deep, or one too many, nothing more is read: the text is hostile.
  #stops(): boolean {
    if (this.#stopped || this.#issues.full) return true;
    if (this.#path.length > MAX_DEPTH) this.#add(Reason.TOO_DEEP, `Nested deeper than ${MAX_DEPTH} levels.`);
    else if (++this.#values > MAX_VALUES) this.#add(Reason.MESSAGE_TOO_LARGE, `More than ${MAX_VALUES} values.`);
    else return false;
    this.#stopped = true;
    return true;
  }

  #add(reason: Reason, message: string, hint?: string): void {
    this.#issues.add(pathText(this.#path), reason, message, { hint, ...this.#locate?.(this.#path) });
  }
}

/** A single value of a field, or an element of a list or a map. */
interface Element {
  message?: DescMessage;
  enum?: DescEnum;
  scalar?: ScalarType;
}

function acceptsNull(field: DescField): boolean {
  return field.fieldKind === "message" && field.message.typeName === "google.protobuf.Value";
}

function enumFault(desc: DescEnum, json: JsonValue): string | undefined {
  if (typeof json === "number") return Number.isInteger(json) ? undefined : "A whole number is expected here.";
  if (typeof json === "string" && desc.values.some(({ name }) => name === json)) return undefined;
  const names = desc.values.map(({ name }) => name);
  return `One of ${names.join(", ")} is expected here.`;
}

function isObject(json: JsonValue): json is { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** What a JSON value is, for a message. */
function kindOf(json: JsonValue): string {
  if (json === null) return "null";
  return Array.isArray(json) ? "a list" : typeof json === "object" ? "an object" : `a ${typeof json}`;
}
