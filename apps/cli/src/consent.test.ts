import { PassThrough } from "node:stream";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@odg/client";
import { type DecideApprovalRequest, RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Event, EventSchema } from "@odg/proto/odg/run/v1/run_pb";
import { inProcessTransport, reject } from "@odg/rpc";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Consents } from "./consent.ts";

const RUN = "01890a5d-ac96-774b-bcce-b302099a8057";
const CHILD = "01890a5d-ac96-774b-bcce-b302099a8058";

let decisions: DecideApprovalRequest[];
let refusal: Error | undefined;
let unconsented: string[];
let drawing: string[];
let screen = "";

beforeEach(() => {
  [decisions, refusal, unconsented, drawing, screen] = [[], undefined, [], [], ""];
});

function event(runId: string, seq: number, kind: MessageInitShape<typeof EventSchema>["kind"]): Event {
  return create(EventSchema, { runId, seq: BigInt(seq), kind });
}

const begins = (runId: string, ...ids: string[]) =>
  event(runId, 1, { case: "runStarted", value: { workflow: { tasks: ids.map((id) => ({ id })) } } });
const asks = (runId: string, task: number, question: string) =>
  event(runId, 2 + task, { case: "approvalRequested", value: { task, question } });

/** Consents whose engine has one further run, and whoever sits at the terminal. */
function seated(keyboard?: PassThrough, child: Event[] = []) {
  let looks = 0;
  const client = createClient({
    transport: inProcessTransport((router) =>
      router.service(RunService, {
        decideApproval: (request) => {
          if (refusal) throw refusal;
          decisions.push(request);
          return {};
        },
        watchRun: async function* ({ runId }) {
          // Not there at the first look.
          if (looks++ === 0) throw reject(Reason.NOT_FOUND);
          if (runId === CHILD) for (const value of child) yield { message: { case: "event", value } };
        },
      }),
    ),
  });
  const output = new PassThrough();
  output.on("data", (bytes: Buffer) => {
    screen += bytes.toString();
  });
  return new Consents({
    client,
    view: { suspend: () => void drawing.push("suspend"), resume: () => void drawing.push("resume") },
    terminal: keyboard && { input: keyboard, output },
    unconsented: (why) => void unconsented.push(why),
  });
}

/** Types an answer once it was asked for so often. */
async function type(keyboard: PassThrough, prompt: string, times: number, line: string): Promise<void> {
  await vi.waitFor(() => expect(screen.split(prompt).length - 1).toBe(times), 5000);
  keyboard.write(`${line}\n`);
}

describe("consents at the terminal", () => {
  it("are asked one after the other, until the answer is one, while the view stands still", async () => {
    const keyboard = new PassThrough();
    const consents = seated(keyboard);
    for (const one of [begins(RUN, "a", "b"), asks(RUN, 0, "May I?"), asks(RUN, 1, "And this?")]) consents.event(one);
    await type(keyboard, "(y/n)", 1, "perhaps");
    await type(keyboard, "(y/n)", 2, "YES");
    await type(keyboard, "Reason:", 1, " it is fine ");
    await type(keyboard, "(y/n)", 3, "n");
    expect(decisions).toHaveLength(1);
    await type(keyboard, "Reason:", 2, "");
    await vi.waitFor(() => expect(decisions).toHaveLength(2), 5000);
    expect(decisions).toMatchObject([
      { runId: RUN, taskId: "a", approve: true, reason: "it is fine" },
      { runId: RUN, taskId: "b", approve: false, reason: "" },
    ]);
    expect(screen).toContain("task a needs consent: May I?");
    await vi.waitFor(() => expect(drawing).toEqual(["suspend", "resume", "suspend", "resume"]), 5000);
    expect(unconsented).toEqual([]);
  });

  it("of a sub-workflow are asked as well", async () => {
    const keyboard = new PassThrough();
    const ended = event(CHILD, 3, { case: "runCompleted", value: {} });
    const consents = seated(keyboard, [begins(CHILD, "below"), asks(CHILD, 0, "Down here?"), ended]);
    consents.event(begins(RUN, "sub"));
    consents.event(event(RUN, 2, { case: "taskStarted", value: { task: 0, childRunId: CHILD } }));
    await type(keyboard, "(y/n)", 1, "y");
    await type(keyboard, "Reason:", 1, "");
    await vi.waitFor(() => expect(decisions).toMatchObject([{ runId: CHILD, taskId: "below" }]), 5000);
    consents.close();
  });

  it("that the engine refuses end the run, and so do those that nobody is there to give", async () => {
    refusal = reject(Reason.POLICY_DENIED, { message: "the workflow names others" });
    const keyboard = new PassThrough();
    const consents = seated(keyboard);
    for (const one of [begins(RUN, "a"), asks(RUN, 0, "May I?")]) consents.event(one);
    await type(keyboard, "(y/n)", 1, "y");
    await type(keyboard, "Reason:", 1, "");
    await vi.waitFor(() => expect(unconsented).toHaveLength(1), 5000);
    const alone = seated();
    for (const one of [begins(RUN, "a"), asks(RUN, 0, "May I?")]) alone.event(one);
    await vi.waitFor(() => expect(unconsented).toHaveLength(2), 5000);
    expect(decisions).toEqual([]);
  });

  it("are taken back when the run has ended", async () => {
    const consents = seated(new PassThrough());
    for (const one of [begins(RUN, "a"), asks(RUN, 0, "May I?")]) consents.event(one);
    await vi.waitFor(() => expect(screen).toContain("(y/n)"), 5000);
    consents.close();
    await vi.waitFor(() => expect(drawing).toEqual(["suspend", "resume"]), 5000);
    expect([decisions, unconsented]).toEqual([[], []]);
  });
});
