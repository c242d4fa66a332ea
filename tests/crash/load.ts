// Runs that keep engines busy while they are killed: small DAGs whose tasks have effects, started under request ids.
import { Code, ConnectError } from "@connectrpc/connect";
import type { OdgClient } from "@odg/client";
import { workflowOf } from "@odg/engine/testing";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { Random } from "./random.ts";

/** A run that an engine has accepted. */
export interface Accepted {
  requestId: string;
  runId: string;
  workflow: Workflow;
}

const EXPERT = { expert: "EffectExpert", action: "effect" };
const RETRY = { max_attempts: 10, initial_interval: "0.05s", max_interval: "0.1s" };

/** A workflow of one of several shapes, with random waits around the effects and, here and there, attempts that fail. */
export function randomWorkflow(random: Random): Workflow {
  const inputs = () => ({
    beforeMs: random.between(0, 80),
    afterMs: random.between(0, 80),
    ...(random.next() < 0.1 ? { failTimes: random.between(1, 2) } : {}),
    ...(random.next() < 0.3 ? { share: `key_${random.between(1, 3)}` } : {}),
  });
  const task = (id: string, dependsOn: string[] = []) => ({
    id,
    ...EXPERT,
    inputs: inputs(),
    retry: RETRY,
    depends_on: dependsOn,
  });
  const chain = () => Array.from({ length: 6 }, (_, i) => task(`t${i}`, i === 0 ? [] : [`t${i - 1}`]));
  const onboarding = () => [
    task("schema"),
    task("quality", ["schema"]),
    task("security", ["schema"]),
    task("compliance", ["security"]),
    task("cost", ["schema"]),
    task("lineage", ["schema"]),
  ];
  const fan = () => {
    const middle = Array.from({ length: 8 }, (_, i) => task(`m${i}`, ["first"]));
    return [
      task("first"),
      ...middle,
      task(
        "last",
        middle.map(({ id }) => id),
      ),
    ];
  };
  const list = () => [
    task("first"),
    { ...task("each", ["first"]), for_each: { items: "[1, 2, 3, 4, 5, 6, 7]", max_concurrency: random.between(2, 4) } },
    task("last", ["each"]),
  ];
  return workflowOf(random.pick([chain, onboarding, fan, list])(), "crash_load");
}

/** Starts runs, and repeats each request under its id until an engine has accepted it. */
export class Load {
  /** By request id. */
  readonly accepted = new Map<string, Accepted>();
  /** What an engine answered that it must not answer. */
  readonly faults: string[] = [];
  readonly #random: Random;
  /** Asked for, and not answered: they may or may not have begun. */
  readonly #open: { requestId: string; workflow: Workflow }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Starts so many runs, those first that were asked for before; fewer where the engine does not answer. */
  async start(client: OdgClient, count: number): Promise<void> {
    while (this.#open.length < count)
      this.#open.push({ requestId: this.#random.uuid(), workflow: randomWorkflow(this.#random) });
    const asked = this.#open.splice(0, count);
    const answers = await Promise.all(asked.map((one) => this.#ask(client, one)));
    asked.forEach((one, i) => {
      if (!answers[i]) this.#open.push(one);
    });
  }

  /** Asks once more for a run that was accepted: the answer has to be the same run. */
  async repeat(client: OdgClient): Promise<void> {
    const all = [...this.accepted.values()];
    const one = all[this.#random.between(0, all.length - 1)];
    if (one) await this.#ask(client, one);
  }

  async #ask(client: OdgClient, { requestId, workflow }: { requestId: string; workflow: Workflow }): Promise<boolean> {
    try {
      const { run } = await client.runs.startRun(
        { requestId, source: { case: "workflow", value: workflow } },
        { timeoutMs: 10_000 },
      );
      const runId = run?.runId ?? "";
      const before = this.accepted.get(requestId)?.runId;
      if (before !== undefined && before !== runId)
        this.faults.push(`request ${requestId} was answered with run ${before} and then with ${runId}`);
      this.accepted.set(requestId, { requestId, runId, workflow });
      return true;
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      if (![Code.Unavailable, Code.DeadlineExceeded, Code.Aborted, Code.Canceled].includes(code))
        this.faults.push(`request ${requestId} was refused: ${Code[code]}: ${rawMessage}`);
      return false;
    }
  }
}
