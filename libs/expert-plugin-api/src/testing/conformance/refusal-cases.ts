import type { JsonObject } from "@bufbuild/protobuf";
import { BadRequestSchema } from "@odg/proto/google/rpc/error_details_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ConformanceTarget } from "../target.ts";
import { answerOf, attempt, type ConformanceCase, demand, refused, type Sample } from "./case.ts";

const SECRET = "jane.doe@example.com";

/** What an expert must not take. */
export function refusalCases(target: ConformanceTarget, samples: Sample[]): ConformanceCase[] {
  const unknown = (name: string, action: string): ConformanceCase => ({
    name,
    run: async () => {
      await refused(() => attempt(target, { action, input: {} }), Reason.EXPERT_UNAVAILABLE);
    },
  });
  return [
    unknown("an unknown action is refused with EXPERT_UNAVAILABLE", "no_such_action"),
    unknown("names from Object.prototype are no actions", "constructor"),
    unknown("__proto__ is no action", "__proto__"),
    unknown("an action is not found by its name in capitals", samples[0]?.action.toUpperCase() ?? "A"),
    unknown("a name of 10,000 characters is no action", "a".repeat(10_000)),
    ...inputCases(target),
    {
      name: "a refused attempt asks nothing of the host",
      async run() {
        let calls: readonly string[] = [];
        const watch = (grant: { calls: readonly string[] }) => {
          calls = grant.calls;
        };
        const nowhere = { action: "no_such_action", input: {} };
        await refused(() => attempt(target, nowhere, { watch }), Reason.EXPERT_UNAVAILABLE);
        demand(calls.length === 0, `it called ${calls.join(", ")}`);
      },
    },
    {
      name: "after a refusal it works as before",
      async run() {
        const [sample] = samples;
        if (!sample) return;
        const before = answerOf(await attempt(target, sample));
        await refused(() => attempt(target, { action: "no_such_action", input: {} }), Reason.EXPERT_UNAVAILABLE);
        demand(answerOf(await attempt(target, sample)) === before, "the answer differs");
      },
    },
  ];
}

/** A value that no schema of a field takes, but one that takes everything. */
const wrongInput = (fields: string[]): JsonObject =>
  Object.fromEntries(fields.map((field) => [field, { [SECRET]: [null] }]));

function inputCases({ client, host }: ConformanceTarget): ConformanceCase[] {
  const withFields = async () => {
    const { actions } = await client.describe({});
    return actions
      .map(({ name, inputSchema }) => ({
        action: name,
        fields: Object.keys((inputSchema?.properties ?? {}) as JsonObject),
        required: (inputSchema?.required ?? []) as string[],
      }))
      .filter(({ fields }) => fields.length > 0);
  };
  const refuse = (action: string, input: JsonObject) =>
    refused(() => attempt({ client, host }, { action, input }), Reason.INPUT_INVALID);
  return [
    {
      name: "an input of the wrong type is refused with INPUT_INVALID, by every action",
      async run() {
        for (const { action, fields } of await withFields()) await refuse(action, wrongInput(fields));
      },
    },
    {
      name: "an input without its required fields is refused with INPUT_INVALID, by every action",
      async run() {
        for (const { action, required } of await withFields()) if (required.length > 0) await refuse(action, {});
      },
    },
    {
      name: "a refused input is named by its field",
      async run() {
        for (const { action, required } of await withFields()) {
          if (required.length === 0) continue;
          const error = await refuse(action, {});
          const named = error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
          const all = named.map(({ field }) => field).join(" ");
          demand(all.includes(`input.${required[0]}`), `${action}: the fields at fault are "${all}"`);
        }
      },
    },
    {
      name: "a refusal does not quote the input",
      async run() {
        for (const { action, fields } of await withFields()) {
          const error = await refuse(action, wrongInput(fields));
          const said = JSON.stringify([error.rawMessage, error.findDetails(BadRequestSchema)]);
          demand(!said.includes(SECRET), `${action}: the refusal quotes the input`);
        }
      },
    },
  ];
}
