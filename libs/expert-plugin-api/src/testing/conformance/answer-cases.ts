import { type JsonObject, toBinary } from "@bufbuild/protobuf";
import { type ExecuteResponse, ExecuteResponseSchema } from "@odg/proto/odg/expert/v1/expert_pb";
import { type Finding, Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import * as z from "zod";
import { executeRequest } from "../run-action.ts";
import type { ConformanceTarget } from "../target.ts";
import { answerOf, attempt, type ConformanceCase, demand, type Sample } from "./case.ts";

/** What gRPC libraries read where nobody told them otherwise. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** A report shows it in one row. */
const MAX_SUMMARY = 300;

/** What an expert answers to a call that succeeds. */
export function answerCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  const { action, input, options } = sample;
  const run = () => attempt(target, sample);
  return [
    {
      name: `${action}: the sample satisfies the schema of the input`,
      async run() {
        fits(await schemaOf(target, action, "inputSchema"), input, "the input");
      },
    },
    {
      name: `${action}: the output satisfies its schema`,
      async run() {
        fits(await schemaOf(target, action, "outputSchema"), (await run()).output, "the output");
      },
    },
    {
      name: `${action}: ends with a result and says a summary`,
      async run() {
        demand((await run()).summary !== "", "no summary");
      },
    },
    {
      name: `${action}: the summary is one line of at most ${MAX_SUMMARY} characters`,
      async run() {
        const { summary } = await run();
        demand(!/[\r\n]/.test(summary) && summary.length <= MAX_SUMMARY, `${summary.length} characters`);
      },
    },
    {
      name: `${action}: the result is the last message, and there is one`,
      async run() {
        const cases = (await messagesOf(target, sample)).map(({ message }) => message.case);
        demand(cases.at(-1) === "result", `the last message is ${cases.at(-1)}`);
        demand(cases.filter((one) => one === "result").length === 1, "more than one result");
      },
    },
    {
      name: `${action}: no message is larger than 4 MiB`,
      async run() {
        for (const message of await messagesOf(target, sample)) {
          const { length } = toBinary(ExecuteResponseSchema, message);
          demand(length <= MAX_MESSAGE_BYTES, `a ${message.message.case} of ${length} bytes`);
        }
      },
    },
    {
      name: `${action}: progress goes from 0 to 1`,
      async run() {
        for (const { fraction } of (await run()).progress) demand(fraction >= 0 && fraction <= 1, `${fraction}`);
      },
    },
    {
      name: `${action}: every log line has a known level and a text`,
      async run() {
        for (const { level, message } of (await run()).logs) {
          demand(["debug", "info", "warn", "error"].includes(level), `level "${level}"`);
          demand(message !== "", "an empty line");
        }
      },
    },
    {
      name: `${action}: every finding has rule, severity, subject, reason, evidence and confidence`,
      async run() {
        for (const finding of (await run()).findings) checkFinding(finding);
      },
    },
    {
      name: `${action}: shared values have names of 1 to 256 characters, each once`,
      async run() {
        const last = (await messagesOf(target, sample)).at(-1)?.message;
        const keys = last?.case === "result" ? last.value.contextWrites.map(({ key }) => key) : [];
        for (const key of keys) demand(key.length >= 1 && key.length <= 256, `a key of ${key.length} characters`);
        demand(new Set(keys).size === keys.length, "the same key twice");
      },
    },
    {
      name: `${action}: every shared value is one`,
      async run() {
        const last = (await messagesOf(target, sample)).at(-1)?.message;
        const writes = last?.case === "result" ? last.value.contextWrites : [];
        for (const { key, value } of writes) demand(value?.kind.case !== undefined, `${key} has no value`);
      },
    },
    ...sameAnswerCases(target, sample),
    {
      name: `${action}: what others shared does not disturb`,
      async run() {
        const context = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`other.key_${index}`, [index]]));
        const shared = { ...sample, options: { ...options, context: { ...options?.context, ...context } } };
        demand(answerOf(await attempt(target, shared)) === answerOf(await run()), "the answer differs");
      },
    },
  ];
}

function sameAnswerCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  const { action } = sample;
  const run = async (request = {}) => answerOf(await attempt(target, sample, { request }));
  return [
    {
      name: `${action}: the same input gives an equal answer`,
      async run() {
        const first = await run();
        demand(first === (await run()), "two answers differ");
      },
    },
    {
      name: `${action}: another run, task and attempt get an equal answer`,
      async run() {
        const other = { runId: "01900000-0000-7000-8000-00000000000f", taskId: "other", attempt: 3 };
        demand((await run()) === (await run(other)), "two answers differ");
      },
    },
    {
      name: `${action}: three attempts at once get the same answers as one alone`,
      async run() {
        const alone = await run();
        const together = await Promise.all([run(), run(), run()]);
        demand(
          together.every((one) => one === alone),
          "answers differ",
        );
      },
    },
  ];
}

async function messagesOf({ client, host }: ConformanceTarget, { action, input, options = {} }: Sample) {
  const { token: hostToken, end } = host.grant(options);
  const messages = client.execute({ ...executeRequest(action, input, options.upstream), hostToken });
  const all: ExecuteResponse[] = [];
  for await (const message of messages) all.push(message);
  end();
  return all;
}

async function schemaOf({ client }: ConformanceTarget, action: string, which: "inputSchema" | "outputSchema") {
  const schema = (await client.describe({})).actions.find(({ name }) => name === action)?.[which];
  demand(schema !== undefined, `${action} is not described`);
  return schema;
}

function fits(schema: JsonObject, value: unknown, what: string): void {
  const parsed = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
  demand(parsed.success, `${what} does not satisfy its schema: ${parsed.error ? z.prettifyError(parsed.error) : ""}`);
}

/** @throws Error where a finding lacks what a reader needs */
export function checkFinding({ ruleId, severity, subject, reason, evidence, confidence }: Finding): void {
  demand(/^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(ruleId), `rule id "${ruleId}"`);
  demand(severity !== Severity.UNSPECIFIED, `${ruleId}: no severity`);
  demand(!!subject?.kind && subject.name !== "", `${ruleId}: no subject`);
  demand(reason.length > 0, `${ruleId}: no reason`);
  demand(evidence.length > 0, `${ruleId}: no evidence`);
  for (const { label, text } of evidence) {
    demand(label !== "" && text !== "", `${ruleId}: evidence without a label or a text`);
    demand(text.isWellFormed() && !text.includes("\0"), `${ruleId}: evidence whose text is broken`);
  }
  demand(confidence >= 0 && confidence <= 1, `${ruleId}: confidence ${confidence}`);
}
