import type { JsonObject } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import { DescribeResponseSchema } from "@odg/proto/odg/expert/v1/expert_pb";
import { PROTOCOL_VERSION } from "../../protocol.ts";
import type { ConformanceTarget } from "../target.ts";
import { attempt, type ConformanceCase, demand, plain, type Sample } from "./case.ts";

/** An engine keeps and shows every description: no more than this, encoded. */
const MAX_DESCRIPTION_BYTES = 256 * 1024;
const SEMVER = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** What an expert says about itself. */
export function describeCases({ client, host }: ConformanceTarget, samples: Sample[]): ConformanceCase[] {
  const describe = () => client.describe({});
  const text = async () => JSON.stringify(plain(await describe()));
  return [
    {
      name: "Describe answers name, version and protocol",
      async run() {
        const answer = await describe();
        demand(/^[A-Z][A-Za-z0-9]{1,62}$/.test(answer.name), `name "${answer.name}"`);
        demand(SEMVER.test(answer.version), `version "${answer.version}" is no semantic version`);
        demand(answer.protocol === PROTOCOL_VERSION, `protocol ${answer.protocol}, not ${PROTOCOL_VERSION}`);
      },
    },
    {
      name: "Describe says how many tasks it takes at once, from 1 to 10,000",
      async run() {
        const { maxConcurrentTasks } = await describe();
        demand(maxConcurrentTasks >= 1 && maxConcurrentTasks <= 10_000, `max_concurrent_tasks ${maxConcurrentTasks}`);
      },
    },
    {
      name: "Describe says in one line what the expert is for",
      async run() {
        const { description } = await describe();
        demand(description.trim() !== "" && !description.includes("\n"), "no description, or one of several lines");
      },
    },
    {
      name: "Describe answers the same twice",
      async run() {
        const first = await text();
        demand(first === (await text()), "two answers differ");
      },
    },
    {
      name: "Describe answers ten callers at once the same",
      async run() {
        const answers = await Promise.all(Array.from({ length: 10 }, text));
        demand(new Set(answers).size === 1, "answers differ");
      },
    },
    {
      name: "Describe asks nothing of the host",
      async run() {
        const before = host.strangers;
        await describe();
        demand(host.strangers === before, "it asked the host, without an attempt");
      },
    },
    {
      name: "Describe answers while an attempt is under way",
      async run() {
        const [sample] = samples;
        if (!sample) return;
        const [answer] = await Promise.all([describe(), attempt({ client, host }, sample)]);
        demand(answer.name !== "", "no name");
      },
    },
    {
      name: "the description takes at most 256 KiB",
      async run() {
        const { length } = toBinary(DescribeResponseSchema, create(DescribeResponseSchema, await describe()));
        demand(length <= MAX_DESCRIPTION_BYTES, `${length} bytes`);
      },
    },
    ...actionCases({ client, host }, samples),
  ];
}

function actionCases({ client }: ConformanceTarget, samples: Sample[]): ConformanceCase[] {
  const actions = async () => (await client.describe({})).actions;
  return [
    {
      name: "there is an action, and no two have the same name",
      async run() {
        const names = (await actions()).map(({ name }) => name);
        demand(names.length > 0, "no actions");
        demand(new Set(names).size === names.length, "two actions have the same name");
      },
    },
    {
      name: "every action has a name in snake_case and a capability",
      async run() {
        for (const { name, capability } of await actions()) {
          demand(/^[a-z][a-z0-9_]{0,62}$/.test(name), `action "${name}"`);
          demand(/^[a-z][a-z0-9_]*$/.test(capability), `${name}: capability "${capability}"`);
        }
      },
    },
    {
      name: "every action has JSON Schemas for input and output",
      async run() {
        for (const one of await actions()) {
          demand(one.inputSchema?.type === "object", `${one.name}: the input schema describes no object`);
          demand(one.outputSchema !== undefined, `${one.name}: no output schema`);
        }
      },
    },
    {
      name: "every schema refers to nothing outside of itself",
      async run() {
        for (const { name, inputSchema, outputSchema } of await actions()) {
          const far = [...references(inputSchema), ...references(outputSchema)].find((one) => !one.startsWith("#"));
          demand(far === undefined, `${name}: $ref to ${far}`);
        }
      },
    },
    {
      name: "every required field of an input is described",
      async run() {
        for (const { name, inputSchema } of await actions()) {
          const known = Object.keys((inputSchema?.properties ?? {}) as JsonObject);
          const lost = ((inputSchema?.required ?? []) as string[]).filter((field) => !known.includes(field));
          demand(lost.length === 0, `${name}: ${lost.join(", ")} is required and not described`);
        }
      },
    },
    {
      name: "every action has a sample",
      async run() {
        const without = (await actions()).filter(({ name }) => !samples.some(({ action }) => action === name));
        demand(without.length === 0, `no sample for ${without.map(({ name }) => name).join(", ")}`);
      },
    },
  ];
}

function references(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === "$ref" && typeof value === "string" ? [value] : references(value),
  );
}
