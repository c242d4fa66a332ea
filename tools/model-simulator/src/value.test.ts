import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chanceOf } from "./chance.ts";
import { evidenceIn } from "./evidence.ts";
import { composeValue } from "./value.ts";

const EVIDENCE = evidenceIn(
  'Rows: [{"id": "E-1", "nulls": 12}, {"id":"E-2","skew":3.5}] and {"no": "name"} and {"id": "E-1"}',
);
const compose = (schema: object, seed = "1") =>
  composeValue(schema as Record<string, unknown>, { chance: chanceOf(seed), evidence: EVIDENCE });

describe("evidence in a prompt", () => {
  it("is every innermost object with an id, once, as it was written", () => {
    expect(EVIDENCE).toEqual([
      { id: "E-1", said: '{"id": "E-1", "nulls": 12}' },
      { id: "E-2", said: '{"id":"E-2","skew":3.5}' },
    ]);
  });

  it("is found in time that grows with the prompt and not faster", () => {
    expect(evidenceIn('{"id": '.repeat(100_000))).toEqual([]);
  });
});

describe("a value by a schema", () => {
  it("has an element for each piece of evidence, and each cites its own", () => {
    const finding = {
      type: "object",
      properties: { text: { type: "string" }, evidence_ids: { type: "array", items: { type: "string" } } },
    };
    expect(compose({ type: "array", items: finding })).toEqual([
      { text: 'The simulator read {"id": "E-1", "nulls": 12} for text.', evidence_ids: ["E-1"] },
      { text: 'The simulator read {"id":"E-2","skew":3.5} for text.', evidence_ids: ["E-2"] },
    ]);
  });

  it("is the same for the same seed and another for another", () => {
    const schema = { type: "array", minItems: 8, items: { type: "integer" } };
    expect(compose(schema)).toEqual(compose(schema));
    expect(compose(schema)).not.toEqual(compose(schema, "2"));
  });

  it("ends where a schema refers to itself, and says so where no value does", () => {
    const tree = {
      $ref: "#/$defs/t",
      $defs: { t: { type: "object", properties: { children: { type: "array", items: { $ref: "#/$defs/t" } } } } },
    };
    expect(new Ajv2020().validate(tree, compose(tree))).toBe(true);
    const endless = {
      $ref: "#/$defs/t",
      $defs: { t: { type: "object", required: ["t"], properties: { t: { $ref: "#/$defs/t" } } } },
    };
    expect(() => compose(endless)).toThrow(RangeError);
  });

  it("fits any schema of the kinds that reasoners use", () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    fc.assert(
      fc.property(schemas, fc.string(), (schema, seed) => {
        expect(ajv.validate(schema, compose(schema, seed)), JSON.stringify(schema)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

const { schema: schemas } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({
      type: fc.constant("string"),
      minLength: fc.integer({ min: 0, max: 9 }),
      maxLength: fc.integer({ min: 9, max: 60 }),
    }),
    fc.record({
      type: fc.constantFrom("number", "integer"),
      minimum: fc.integer({ min: -9, max: 0 }),
      maximum: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ type: fc.constant("integer"), exclusiveMinimum: fc.integer({ min: -9, max: 9 }) }),
    fc.record({ type: fc.constant("number"), maximum: fc.integer({ min: -9, max: 9 }) }),
    fc.record({ type: fc.constantFrom("boolean", "null") }),
    fc.record({ enum: fc.array(fc.string(), { minLength: 1 }) }),
    fc.record({ const: fc.integer() }),
    fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }) }),
    fc.record({
      type: fc.constant("array"),
      items: tie("schema"),
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 4 }),
    }),
    fc
      .dictionary(fc.constantFrom("title", "evidence", "cites", "severity", "nested"), tie("schema"), { maxKeys: 4 })
      .map((properties) => ({
        type: "object",
        properties,
        required: Object.keys(properties),
        additionalProperties: false,
      })),
  ),
}));
