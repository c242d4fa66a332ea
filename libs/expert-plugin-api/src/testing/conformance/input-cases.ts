import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { ConformanceTarget } from "../target.ts";
import { checkFinding } from "./answer-cases.ts";
import { attempt, type ConformanceCase, demand, endsTyped, type Sample } from "./case.ts";

/** Levels that JSON over any placement may nest; engines refuse more before an expert sees it. */
const DEPTH = 40;
const deep = (levels: number): JsonValue => (levels === 0 ? "end" : { a: [deep(levels - 1)] });

/** What stands in every text of the input instead. */
const TEXTS: [string, string][] = [
  ["empty", ""],
  ["100,000 characters long", "x".repeat(100_000)],
  ["a path that climbs", "../../../../etc/passwd"],
  ["an address elsewhere", "http://169.254.169.254/latest/meta-data"],
  ["SQL", `'; DROP TABLE "x"; --`],
  ["a NUL character", "a\0b"],
  ["a lone surrogate", "a\ud800b"],
  ["a template and a pattern that backtracks", "{{process.exit()}} (a+)+$ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"],
  ["the name of a prototype", "__proto__"],
];

/** What stands beside the input's own fields. */
const FIELDS: [string, () => JsonObject][] = [
  ["__proto__ and constructor", () => JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}')],
  ["1,000 unknown fields", () => Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`f${index}`, index]))],
  [`a value of ${DEPTH} levels`, () => ({ unknown: deep(DEPTH / 2) })],
  ["numbers at the edge", () => ({ a: Number.MAX_VALUE, b: -0, c: Number.MIN_VALUE, d: 2 ** 53 })],
];

/** Inputs that nobody means well with: the expert ends well, or says in a typed refusal what is wrong. */
export function inputCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  const { action, input } = sample;
  const survives = (name: string, hostile: JsonObject): ConformanceCase => ({
    name: `${action}: ${name}`,
    async run() {
      const end = await endsTyped(() => attempt(target, { ...sample, input: hostile }));
      if (!(end instanceof ConnectError)) for (const finding of end.findings) checkFinding(finding);
    },
  });
  return [
    ...TEXTS.map(([what, text]) =>
      survives(`takes or refuses texts that are ${what}`, inTexts(input, text) as JsonObject),
    ),
    ...FIELDS.map(([what, fields]) => survives(`takes or refuses ${what}`, { ...input, ...ownFields(fields()) })),
    survives("takes or refuses null in every field", Object.fromEntries(Object.keys(input).map((key) => [key, null]))),
    {
      name: `${action}: takes outputs of tasks it does not know`,
      async run() {
        const upstream = { stranger: { columns: "none", findings: [null] }, "": deep(10), odd: null };
        const options = { ...sample.options, upstream: { ...upstream, ...sample.options?.upstream } };
        await endsTyped(() => attempt(target, { ...sample, options }));
      },
    },
    {
      name: `${action}: after all of these it still works`,
      async run() {
        const { summary } = await attempt(target, sample);
        demand(summary !== "", "no summary");
      },
    },
  ];
}

function inTexts(value: JsonValue, text: string): JsonValue {
  if (typeof value === "string") return text;
  if (Array.isArray(value)) return value.map((one) => inTexts(one, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inTexts(one, text)]));
}

// A spread copies `__proto__` as a field of its own only where it is one: so it is defined, not assigned.
function ownFields(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields));
}
