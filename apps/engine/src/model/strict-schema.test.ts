import { describe, expect, it } from "vitest";
import { isStrict } from "./strict-schema.ts";
import { FINDINGS } from "./testing/call.ts";

const closed = (properties: object, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

describe("strict mode", () => {
  it.each([
    ["closed objects in lists", FINDINGS],
    ["a null in place of what is optional", closed({ a: { anyOf: [{ type: "string" }, { type: "null" }] } })],
    ["a property that is named like a keyword", closed({ properties: { type: "string" }, oneOf: { type: "string" } })],
  ])("takes %s", (_name, schema) => {
    expect(isStrict(schema)).toBe(true);
  });

  it.each([
    ["a list at the root", { type: "array", items: { type: "string" } }],
    ["an open object", { type: "object", properties: {}, required: [] }],
    ["an optional property", closed({ a: { type: "string" } }, [])],
    ["an open object within a list", closed({ a: { type: "array", items: { type: "object" } } })],
    ["an open object within a definition", { ...closed({}), $defs: { d: { type: "object" } } }],
    ["an open object within a choice", closed({ a: { anyOf: [{ type: "null" }, { type: "object" }] } })],
    ["oneOf", closed({ a: { oneOf: [{ type: "string" }, { type: "null" }] } })],
  ])("does not take %s", (_name, schema) => {
    expect(isStrict(schema)).toBe(false);
  });
});
