import type { JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { reasonOf } from "@odg/rpc";
import type { Expert } from "../expert.ts";
import { PROTOCOL_VERSION } from "../protocol.ts";
import { type ActionOutcome, executeRequest, outcomeOf, type RunActionOptions } from "./run-action.ts";
import { type ConformanceTarget, moduleTarget } from "./target.ts";

/** A call that must succeed. */
export interface Sample {
  action: string;
  input: JsonObject;
  options?: RunActionOptions;
}

/** One requirement on an expert; `run` throws where it does not hold. Register it with any test runner. */
export interface ConformanceCase {
  name: string;
  run(): Promise<void>;
}

/**
 * What every expert must do, whoever wrote it, wherever it runs. `samples` are calls that succeed: at least one per action.
 *
 * @example for (const one of conformanceCases(expert, samples)) test(one.name, one.run);
 */
export function conformanceCases(subject: Expert | ConformanceTarget, samples: Sample[]): ConformanceCase[] {
  const target = "client" in subject ? subject : moduleTarget(subject);
  return [
    ...describeCases(target, samples),
    ...refusalCases(target),
    ...samples.flatMap((sample) => sampleCases(target, sample)),
  ];
}

/** One attempt with a token of its own. @throws ConnectError as an engine would see it; Error without a result. */
async function attempt(target: ConformanceTarget, { action, input, options = {} }: Sample): Promise<ActionOutcome> {
  const grant = target.host.grant(options);
  const request = { ...executeRequest(action, input, options.upstream), hostToken: grant.token };
  try {
    const outcome = await outcomeOf(target.client.execute(request, options.signal ? { signal: options.signal } : {}));
    if (!outcome) throw new Error(`${action} ended without a result`);
    return outcome;
  } finally {
    grant.end();
  }
}

function describeCases(target: ConformanceTarget, samples: Sample[]): ConformanceCase[] {
  const describe = () => target.client.describe({});
  return [
    {
      name: "Describe answers name, version and protocol",
      async run() {
        const answer = await describe();
        demand(/^[A-Z][A-Za-z0-9]{1,62}$/.test(answer.name), `name "${answer.name}"`);
        demand(/^\d+\.\d+\.\d+/.test(answer.version), `version "${answer.version}" is no semantic version`);
        demand(answer.protocol === PROTOCOL_VERSION, `protocol ${answer.protocol}, not ${PROTOCOL_VERSION}`);
        demand(answer.maxConcurrentTasks >= 1, "max_concurrent_tasks is 0");
      },
    },
    {
      name: "Describe answers the same twice",
      async run() {
        const first = JSON.stringify(plain(await describe()));
        demand(first === JSON.stringify(plain(await describe())), "two answers differ");
      },
    },
    {
      name: "every action has a capability and JSON Schemas for input and output",
      async run() {
        const { actions } = await describe();
        demand(actions.length > 0, "no actions");
        demand(new Set(actions.map(({ name }) => name)).size === actions.length, "two actions have the same name");
        for (const one of actions) {
          demand(one.capability !== "", `${one.name}: no capability`);
          demand(one.inputSchema?.type === "object", `${one.name}: the input schema describes no object`);
          demand(one.outputSchema !== undefined, `${one.name}: no output schema`);
        }
      },
    },
    {
      name: "every action has a sample",
      async run() {
        const { actions } = await describe();
        const without = actions.filter(({ name }) => !samples.some((sample) => sample.action === name));
        demand(without.length === 0, `no sample for ${without.map(({ name }) => name).join(", ")}`);
      },
    },
  ];
}

function refusalCases(target: ConformanceTarget): ConformanceCase[] {
  return [
    {
      name: "an unknown action is refused with EXPERT_UNAVAILABLE",
      run: () => refused(() => attempt(target, { action: "no_such_action", input: {} }), Reason.EXPERT_UNAVAILABLE),
    },
    {
      name: "names from Object.prototype are no actions",
      run: () => refused(() => attempt(target, { action: "constructor", input: {} }), Reason.EXPERT_UNAVAILABLE),
    },
    {
      name: "an input of the wrong type is refused with INPUT_INVALID",
      async run() {
        const { name = "", inputSchema: schema } = (await target.client.describe({})).actions[0] ?? {};
        const fields = Object.keys((schema?.properties ?? {}) as JsonObject);
        if (fields.length === 0) return;
        const wrong = Object.fromEntries(fields.map((field) => [field, { wrong: [null] }]));
        await refused(() => attempt(target, { action: name, input: wrong }), Reason.INPUT_INVALID);
      },
    },
  ];
}

function sampleCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  const { action, input, options = {} } = sample;
  const run = () => attempt(target, sample);
  return [
    {
      name: `${action}: ends with a result and says a summary`,
      async run() {
        demand((await run()).summary !== "", "no summary");
      },
    },
    {
      name: `${action}: every finding has rule, severity, subject, reason, evidence and confidence`,
      async run() {
        for (const finding of (await run()).findings) {
          demand(/^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(finding.ruleId), `rule id "${finding.ruleId}"`);
          demand(finding.severity !== Severity.UNSPECIFIED, `${finding.ruleId}: no severity`);
          demand(!!finding.subject?.kind && finding.subject.name !== "", `${finding.ruleId}: no subject`);
          demand(finding.reason.length > 0, `${finding.ruleId}: no reason`);
          demand(finding.evidence.length > 0, `${finding.ruleId}: no evidence`);
          demand(
            finding.confidence >= 0 && finding.confidence <= 1,
            `${finding.ruleId}: confidence ${finding.confidence}`,
          );
        }
      },
    },
    {
      name: `${action}: the same input gives an equal answer`,
      async run() {
        const pick = ({ output, findings, contextWrites, summary }: Awaited<ReturnType<typeof run>>) =>
          JSON.stringify(plain({ output, findings, contextWrites, summary }));
        const [first, second] = [pick(await run()), pick(await run())];
        demand(first === second, "two answers differ");
      },
    },
    {
      name: `${action}: the result is the last message, and there is one`,
      async run() {
        const cases: (string | undefined)[] = [];
        const { token: hostToken, end } = target.host.grant(options);
        const request = { ...executeRequest(action, input, options.upstream), hostToken };
        for await (const { message } of target.client.execute(request)) cases.push(message.case);
        end();
        demand(cases.at(-1) === "result", `the last message is ${cases.at(-1)}`);
        demand(cases.filter((one) => one === "result").length === 1, "more than one result");
      },
    },
    {
      name: `${action}: an attempt that is cancelled before it begins ends as cancelled`,
      async run() {
        const signal = AbortSignal.abort();
        try {
          await attempt(target, { action, input, options: { ...options, signal } });
        } catch (error) {
          demand(ConnectError.from(error).code === Code.Canceled, `code ${Code[ConnectError.from(error).code]}`);
          return;
        }
        throw new Error("it ended well all the same");
      },
    },
  ];
}

function plain(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
}

async function refused(call: () => Promise<unknown>, reason: Reason): Promise<void> {
  try {
    await call();
  } catch (error) {
    demand(reasonOf(error) === reason, `reason ${Reason[reasonOf(error) ?? 0]}, not ${Reason[reason]}`);
    return;
  }
  throw new Error(`accepted, although ${Reason[reason]} was due`);
}

function demand(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(complaint);
}
