import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";
import type { ConformanceTarget } from "../target.ts";
import {
  type AttemptOptions,
  answerOf,
  attempt,
  type ConformanceCase,
  demand,
  endsTyped,
  type Sample,
} from "./case.ts";

/** A caller that has left gets its answer in this time, whatever the expert is doing. */
const LEAVE_MS = 2_000;
/** Reasons for which a host may refuse data. */
const REFUSALS = [
  Reason.NOT_FOUND,
  Reason.PATH_NOT_ALLOWED,
  Reason.POLICY_DENIED,
  Reason.DATA_CORRUPT,
  Reason.DATA_TOO_LARGE,
  Reason.DATA_UNSUPPORTED,
];

/** How an attempt ends before its time, and what holds after its end. */
export function endingCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  return [...leavingCases(target, sample), ...tokenCases(target, sample), ...hostCases(target, sample)];
}

function leavingCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  const { action } = sample;
  /** Demands that the call ends in time, well or with one of the codes. */
  const leaves = async (options: AttemptOptions, codes: Code[], mayEndWell: boolean) => {
    const began = performance.now();
    try {
      await attempt(target, sample, options);
      demand(mayEndWell, "it ended well all the same");
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      demand(codes.includes(error.code), `code ${Code[error.code]}`);
    }
    const took = performance.now() - began;
    demand(took <= LEAVE_MS, `it took ${Math.round(took)} ms`);
  };
  return [
    {
      name: `${action}: an attempt that is cancelled before it begins ends as cancelled`,
      run: () => leaves({ signal: AbortSignal.abort() }, [Code.Canceled], false),
    },
    {
      name: `${action}: an attempt that is cancelled while it works ends within 2 s`,
      run: () => leaves({ signal: AbortSignal.timeout(5) }, [Code.Canceled, Code.DeadlineExceeded], true),
    },
    {
      name: `${action}: an attempt whose deadline passes ends within 2 s`,
      run: () => leaves({ timeoutMs: 5 }, [Code.DeadlineExceeded, Code.Canceled], true),
    },
    {
      name: `${action}: after a cancelled attempt it works as before`,
      async run() {
        const before = answerOf(await attempt(target, sample));
        await leaves({ signal: AbortSignal.timeout(2) }, [Code.Canceled, Code.DeadlineExceeded], true);
        demand(answerOf(await attempt(target, sample)) === before, "the answer differs");
      },
    },
  ];
}

function tokenCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  const { action } = sample;
  const { host } = target;
  return [
    {
      name: `${action}: asks the host with the token of its attempt`,
      async run() {
        const before = host.strangers;
        await attempt(target, sample);
        demand(host.strangers === before, `${host.strangers - before} calls without it`);
      },
    },
    {
      name: `${action}: asks nothing of the host after its end`,
      async run() {
        const before = host.strangers;
        await attempt(target, sample);
        await sleep(50);
        demand(host.strangers === before, `${host.strangers - before} calls`);
      },
    },
    ...[
      ["a token that the host does not know", "forged"],
      ["no token", ""],
    ].map(
      ([what, hostToken]): ConformanceCase => ({
        name: `${action}: with ${what} fails as UNAUTHENTICATED, if it asks at all`,
        async run() {
          const before = host.strangers;
          const error = await endsTyped(() => attempt(target, sample, { request: { hostToken } }));
          if (host.strangers === before || !(error instanceof ConnectError)) return;
          demand(reasonOf(error) === Reason.UNAUTHENTICATED, `reason ${Reason[reasonOf(error)]}`);
        },
      }),
    ),
    {
      name: `${action}: two attempts at once do not take each other's token`,
      async run() {
        const other = { ...sample, options: { ...sample.options, tables: {} } };
        const alone = answerOf(await attempt(target, sample));
        const [answer] = await Promise.all([attempt(target, sample), endsTyped(() => attempt(target, other))]);
        demand(answerOf(answer) === alone, "the answer differs");
      },
    },
  ];
}

function hostCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  return REFUSALS.map((refuse) => ({
    name: `${sample.action}: passes on that the host refuses data with ${Reason[refuse]}`,
    async run() {
      const end = await endsTyped(() => attempt(target, { ...sample, options: { ...sample.options, refuse } }));
      if (!(end instanceof ConnectError)) return;
      demand(reasonOf(end) === refuse, `it made ${Reason[reasonOf(end)]} of it`);
    },
  }));
}
