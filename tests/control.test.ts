// The verbs of `odg` that control runs, decide consents, and keep workflows and schedules, against an engine that goes on.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROBE_EXPERT } from "@odg/engine/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, engineServer, odg, type Running } from "./odg.ts";

const SLOW = { timeout: 60_000 };
let folder: string;
let server: Running;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "odg-control-"));
  const settings = { ODG_PORT: "0", ODG_HTTP_PORT: "0", ODG_STORE_DIR: join(folder, "store"), ODG_DRAIN_MS: "1000" };
  server = engineServer({ cwd: folder, env: { ...settings, ODG_EXPERTS: PROBE_EXPERT } });
  url = (await server.said(/"grpc":"([^"]+)"/))[1] ?? "";
}, 60_000);
afterAll(() => {
  server?.process.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const as = (user: string, ...args: string[]): Promise<Ended> =>
  odg([...args, "--engine", url, "--user", user], { cwd: folder }).ended;
const ada = (...args: string[]) => as("ada", ...args);
const json = async (...args: string[]) => JSON.parse((await ada(...args, "--json")).stdout);

function file(name: string, definition: object): string {
  writeFileSync(join(folder, name), JSON.stringify(definition));
  return name;
}

const nap = (id: string, ms: number, rest: object = {}) => ({
  id,
  expert: "ProbeExpert",
  action: "nap",
  inputs: { ms },
  ...rest,
});

/** Starts a run and answers its id. */
async function started(workflow: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ada("run", workflow, "--detach", "--quiet", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.trim();
}

/** Asks until the engine's answer fits. */
async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (tries > 40) throw new Error(`it never came to be: ${JSON.stringify(answer).slice(0, 2000)}`);
  }
}

const status = async (runId: string): Promise<string> => (await json("get", runId)).status;

describe("runs under way", () => {
  it("are paused, resumed and cancelled, with an answer for each run", SLOW, async () => {
    const tasks = [nap("first", 500), nap("second", 60_000, { depends_on: ["first"] })];
    const workflow = file("two.json", { workflow_id: "two", tasks });
    const runId = await started(workflow);
    const paused = await ada("pause", runId, "--reason", "lunch");
    expect(paused).toMatchObject({ code: 0, stderr: "" });
    expect(paused.stdout).toMatch(new RegExp(`^${runId} +two +paused\n$`));
    const listed = await json("runs", "--status", "paused");
    expect(listed.runs.map((one: { runId: string }) => one.runId)).toContain(runId);
    expect((await ada("resume", runId)).stdout).toContain("running");

    const unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    const cancelled = await ada("cancel", unknown, runId, "--reason", "enough");
    expect(cancelled.code).toBe(3);
    expect(cancelled.stderr).toContain("NOT_FOUND");
    expect(cancelled.stdout).toContain(runId);
    await until(
      () => status(runId),
      (now) => now === "RUN_STATUS_CANCELLED",
    );
    const late = await ada("pause", runId, "--json");
    expect(late.code).toBe(5);
    expect(JSON.parse(late.stdout)).toEqual([]);
    expect(JSON.parse(late.stderr).error.reason).toBe("STATE_INVALID");
  });

  it("are found by label, user and time", SLOW, async () => {
    const workflow = file("short.json", { workflow_id: "short", tasks: [nap("only", 1)] });
    const runId = await started(workflow, "--label", "team=red", "--label", "day=one");
    const found = async (...args: string[]) =>
      JSON.parse((await odg(["runs", "--json", "--engine", url, ...args], { cwd: folder }).ended).stdout).runs ?? [];
    expect(await found("--label", "team=red", "--label", "day=one", "--since", "1h")).toMatchObject([{ runId }]);
    expect(await found("--label", "team=red", "--label", "day=two")).toEqual([]);
    expect(await found("--label", "team=red", "--user", "ada")).toMatchObject([{ runId, user: "ada" }]);
    expect(await found("--label", "team=red", "--user", "bob")).toEqual([]);
    expect(await found("--label", "team=red", "--since", "2999-01-01")).toEqual([]);
  });

  it("are followed to their end by whoever comes later", SLOW, async () => {
    const tasks = [nap("many", 1, { for_each: { items: "[1, 2, 3]" } })];
    const runId = await started(file("many.json", { workflow_id: "many", tasks }));
    const { code, stderr, stdout } = await ada("watch", runId);
    expect(code).toBe(0);
    expect(stderr).toContain("✔ many: done (3/3)");
    expect(stdout).toContain("SUCCEEDED");
  });

  it("are run again: what failed, what is named, or the whole", SLOW, async () => {
    const fails = { id: "fails", expert: "ProbeExpert", action: "fail", inputs: { times: 1 }, depends_on: ["good"] };
    const workflow = file("fails.json", { workflow_id: "fails", tasks: [nap("good", 1), fails] });
    const failed = await ada("run", workflow, "--json");
    expect(failed.code).toBe(6);
    const first = JSON.parse(failed.stdout).run;
    const again = await ada("rerun", first.runId);
    expect(again.code).toBe(6);
    expect(again.stderr).toContain("✔ good: taken over");
    const forked = await ada("fork", first.runId, "--from", "fails", "--task-input", "times=0", "--json");
    expect(forked.code).toBe(0);
    const { run } = JSON.parse(forked.stdout);
    expect(run).toMatchObject({ forkedFrom: first.runId, status: "RUN_STATUS_SUCCEEDED" });
    expect(run.tasks[0].reusedFrom).toBe(first.runId);
    const whole = await ada("rerun", first.runId, "--all", "--json");
    expect(whole.code).toBe(6);
    expect(JSON.parse(whole.stdout).run.tasks[0].reusedFrom ?? "").toBe("");
    expect((await ada("fork", first.runId, "--task-input", "times=0")).code).toBe(2);
  });
});

describe("consents", () => {
  const approval = { question: `Publish \${run.inputs.what}?` };
  const tasks = [
    { id: "publish", approval },
    { id: "announce", approval, depends_on: [] },
  ];

  it("are listed, granted by somebody else, and denied", SLOW, async () => {
    const workflow = file("consent.json", { workflow_id: "consent", tasks });
    const runId = await started(workflow, "--input", "what=orders");
    const waiting = () => json("approvals", "--run", runId);
    const { approvals } = await until(waiting, (answer) => answer.approvals?.length === 2);
    expect(approvals[0]).toMatchObject({ runId, requestedBy: "ada", approval: { question: "Publish orders?" } });
    expect((await ada("approvals", "--run", runId)).stdout).toContain("Publish orders?");

    const unnamed = await as("bob", "approve", runId);
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toMatch(/publish.*announce|announce.*publish/);
    const own = await ada("approve", runId, "publish");
    expect([own.code, own.stderr.split(":")[0]]).toEqual([4, "POLICY_DENIED"]);
    const granted = await as("bob", "approve", runId, "publish", "--reason", "it is clean");
    expect(granted).toMatchObject({ code: 0, stdout: "publish: granted by bob\n" });
    expect((await as("bob", "approve", runId, "publish")).code).toBe(0);
    expect((await as("bob", "reject", runId, "publish")).stderr).toContain("STATE_INVALID");
    expect((await as("eve", "reject", runId)).stdout).toBe("announce: denied by eve\n");
    await until(
      () => status(runId),
      (now) => now === "RUN_STATUS_FAILED",
    );
    const decided = await json("approvals", "--run", runId, "--status", "approved");
    expect(decided.approvals).toMatchObject([{ approval: { decidedBy: "bob", reason: "it is clean" } }]);
    expect((await as("bob", "approve", runId)).code).toBe(3);
  });

  it(
    "that a run in this process needs are refused where there is no terminal, and the exit code says so",
    SLOW,
    async () => {
      const workflow = file("here.json", { workflow_id: "here", tasks });
      const here = odg(["run", workflow, "--input", "what=orders"], {
        cwd: folder,
        env: { ODG_EXPERTS: PROBE_EXPERT },
      });
      const { code, stderr, stdout } = await here.ended;
      expect(code).toBe(4);
      expect(stderr).toContain("task publish needs consent");
      expect(stderr).toContain("odg approve");
      expect(stdout).toContain("CANCELLED");
    },
  );

  it("are named where the run is followed", SLOW, async () => {
    const workflow = file("seen.json", { workflow_id: "seen", tasks: [{ id: "publish", approval }] });
    const running = odg(["run", workflow, "-i", "what=orders", "--engine", url, "--user", "ada"], { cwd: folder });
    await running.said(/\? publish: waits for consent – Publish orders\?/);
    const { runs } = await json("runs", "--workflow", "seen");
    await as("bob", "approve", runs[0].runId);
    expect((await running.ended).code).toBe(0);
  });
});

describe("workflows", () => {
  const definition = (ms: number) => ({ workflow_id: "versioned", tasks: [nap("only", ms)] });

  it("are published, listed, compared and deprecated", SLOW, async () => {
    const [one] = await json("workflow", "publish", file("v1.json", definition(1)));
    const [two] = await json("workflow", "publish", file("v2.json", definition(2)));
    expect((await ada("workflow", "list")).stdout).toContain(two.version);
    const versions = await json("workflow", "versions", "versioned");
    expect(versions.versions.map((each: { version: string }) => each.version)).toEqual([two.version, one.version]);
    const diff = await ada("workflow", "diff", "versioned");
    expect(diff.stdout).toBe(`${one.version} → ${two.version}\n~ tasks.only.inputs.ms: 1 → 2\n`);
    expect((await ada("workflow", "deprecate", "versioned", two.version)).code).toBe(2);
    const marked = await ada("workflow", "deprecate", "versioned", two.version, "--reason", "too slow");
    expect(marked.stdout).toContain("deprecated: too slow");
    expect(await json("run", "versioned")).toMatchObject({ run: { workflowVersion: one.version } });
    const shown = await ada("workflow", "show", "versioned");
    expect(shown.stderr).toContain("deprecated: too slow");
    expect(JSON.parse(shown.stdout)).toEqual(definition(2));
    await ada("workflow", "deprecate", "versioned", one.version, "--reason", "old");
    const none = await ada("run", "versioned", "--json");
    expect(none.code).toBe(5);
    expect(JSON.parse(none.stderr).error.message).toContain(`${two.version} (too slow), ${one.version} (old)`);
    await ada("workflow", "deprecate", "versioned", two.version, "--undo");
    expect(await json("run", "versioned")).toMatchObject({ run: { workflowVersion: two.version } });
  });

  it("are kept as drafts under an etag, sound or not", SLOW, async () => {
    const unsound = { workflow_id: "drafted", tasks: [nap("only", 1, { depends_on: ["nothing"] })] };
    const saved = await json("workflow", "draft", "save", file("draft.json", unsound));
    expect(saved.issues[0].path).toBe("tasks[0].depends_on[0]");
    const blind = await ada("workflow", "draft", "save", "draft.json", "--json");
    expect(JSON.parse(blind.stderr).error).toMatchObject({ code: "aborted", reason: "ETAG_MISMATCH" });
    const sound = file("draft.json", { ...unsound, tasks: [nap("only", 1)] });
    expect((await ada("workflow", "draft", "save", sound, "--etag", saved.etag)).code).toBe(0);
    expect(JSON.parse((await ada("workflow", "draft", "show", "drafted")).stdout).tasks).toEqual([nap("only", 1)]);
    expect((await ada("workflow", "draft", "delete", "drafted", "--etag", saved.etag)).code).toBe(1);
    expect((await ada("workflow", "draft", "delete", "drafted")).code).toBe(0);
    expect((await ada("workflow", "draft", "show", "drafted")).code).toBe(3);
  });
});

describe("schedules", () => {
  it("are made, shown, paused, resumed and deleted", SLOW, async () => {
    await ada("workflow", "publish", file("timed.json", { workflow_id: "timed", tasks: [nap("only", 1)] }));
    const make = (...args: string[]) => ada("schedule", "create", "nightly", "--workflow", "timed", ...args);
    const wrong = await make("--cron", "every night");
    expect([wrong.code, wrong.stderr.split(":")[0]]).toEqual([5, "FIELD_FORMAT"]);
    expect((await make()).code).toBe(2);
    const made = await make("--cron", "0 6 * * MON-FRI", "--time-zone", "Europe/Berlin", "--overlap", "queue");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toContain("0 6 * * MON-FRI (Europe/Berlin)");
    expect((await ada("schedule", "list")).stdout).toContain("nightly");
    expect((await ada("schedule", "pause", "nightly")).stdout).toMatch(/next +paused/);
    expect(await json("schedule", "show", "nightly")).toMatchObject({ paused: true, overlap: "queue" });
    expect((await ada("schedule", "resume", "nightly")).stdout).not.toContain("paused");
    expect((await ada("schedule", "delete", "nightly")).code).toBe(0);
    expect((await ada("schedule", "show", "nightly")).code).toBe(3);
  });
});
