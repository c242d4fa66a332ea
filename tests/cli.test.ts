// The command `odg` and the server of the engine as processes: what they print, where, and how they end.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PROBE_EXPERT, sampleLake } from "@odg/engine/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, engineServer, odg, type Running } from "./odg.ts";

const RECORD = resolve(import.meta.dirname, "../libs/workflow/testdata/workflows");
const SLOW = { timeout: 90_000 };
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape itself is looked for
const COLOUR = /\u001b\[/;

let folder: string;
let lake: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "odg-cli-"));
  lake = sampleLake(1000);
  const tasks = [{ id: "doze", expert: "ProbeExpert", action: "nap", inputs: { ms: 60_000 } }];
  writeFileSync(join(folder, "nap.json"), JSON.stringify({ workflow_id: "nap", tasks }));
});
afterAll(() => {
  for (const one of [folder, lake]) rmSync(one, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Ended> => odg(args, { cwd: folder }).ended;
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return name;
};

describe("odg without an engine", () => {
  it("says its version and its verbs", async () => {
    const [version, help] = await Promise.all([run("--version"), run("--help")]);
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
    expect(help.code).toBe(0);
    for (const verb of ["run", "validate", "plan", "runs", "get", "expert"]) expect(help.stdout).toContain(verb);
  });

  it.each([
    [["dance"]],
    [["run"]],
    [["run", "onboard_dataset", "--input", "nothing"]],
    [["run", "onboard_dataset", "--report", "report.pdf"]],
    [["run", "onboard_dataset", "--fail-on", "boredom"]],
    [["run", "onboard_dataset", "--timeout", "soon"]],
    [["runs", "--limit", "some"]],
  ])("ends with 2 on %j", async (args) => {
    const { code, stdout, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).not.toBe("");
  });

  it("validates the decision record's workflows as they stand", async () => {
    const names = ["onboard_customer_transactions", "troubleshoot_transform_sales", "gdpr_audit_preparation"];
    const { code, stdout } = await run("validate", ...names.map((name) => join(RECORD, `${name}.json`)));
    expect(code).toBe(0);
    expect(stdout.match(/✔/g)).toHaveLength(3);
  });

  it("names the file, the line and the column of a fault", async () => {
    const yaml =
      "workflow_id: w\ntasks:\n  - id: schema\n    action: analyze_schema\n  - id: quality\n    action: check\n    depends_on: [shema]\n";
    const { code, stderr } = await run("validate", file("broken.yaml", yaml));
    expect(code).toBe(5);
    expect(stderr).toContain("broken.yaml:7:18");
    expect(stderr).toContain('Did you mean "schema"');
    expect(stderr).not.toMatch(COLOUR);
  });

  it("gives issues as JSON where asked to", async () => {
    const { code, stdout } = await run("validate", "--json", file("typo.json", '{"workflow_id": "w", "taks": []}'));
    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject([{ valid: false, issues: [{ reason: "REASON_UNKNOWN_FIELD" }] }]);
  });
});

describe("odg with an engine of its own", () => {
  it(
    "runs, prints one JSON document, writes reports, and ends with 7 where findings reach the threshold",
    SLOW,
    async () => {
      const dataset = join(lake, "customer_transactions.parquet");
      const reports = ["report.html", "report.md", "report.json"].flatMap((name) => ["--report", name]);
      const { code, stdout, stderr } = await run(
        "run",
        "onboard_dataset",
        "--input",
        `dataset=${dataset}`,
        "--json",
        "--fail-on",
        "warning",
        ...reports,
      );
      expect(stderr).toBe("");
      expect(code).toBe(7);
      const report = JSON.parse(stdout);
      expect(report.run.status).toBe("RUN_STATUS_SUCCEEDED");
      const written = (name: string) => readFileSync(join(folder, name), "utf8");
      expect(JSON.parse(written("report.json")).run.runId).toBe(report.run.runId);
      expect(written("report.html")).toMatch(/^<!doctype html>/i);
      expect(written("report.md")).toContain("customer_transactions");
    },
  );

  it("ends with 5 where no dataset is named, and with 3 where there is none", SLOW, async () => {
    const unnamed = await run("run", "onboard_dataset");
    expect(unnamed.code).toBe(5);
    expect(unnamed.stderr).toContain("--input dataset=");
    const absent = await run("run", "onboard_dataset", "--input", "dataset=absent.parquet");
    expect(absent.code).toBe(absent.stderr.includes("NOT_FOUND") ? 3 : 5);
    expect(absent.stderr).toMatch(/^(NOT_FOUND|PATH_NOT_ALLOWED): /);
  });

  it("gives a typed error as JSON for a broken file", SLOW, async () => {
    const whole = readFileSync(join(lake, "orders.parquet"));
    file("cut.parquet", whole.subarray(0, whole.length >> 1));
    const { code, stdout, stderr } = await run("run", "onboard_dataset", "--input", "dataset=cut.parquet", "--json");
    expect(code).toBe(5);
    expect(stdout).toBe("");
    expect(JSON.parse(stderr).error).toMatchObject({
      code: "invalid_argument",
      reason: "DATA_CORRUPT",
      help: expect.stringContaining("#"),
    });
  });

  it("cancels its run on Ctrl-C and ends with 130", SLOW, async () => {
    const napping = odg(["run", "nap.json"], { cwd: folder, env: { ODG_EXPERTS: PROBE_EXPERT } });
    await napping.said(/doze: runs/);
    napping.process.kill("SIGINT");
    const { code, stdout, stderr } = await napping.ended;
    expect(code).toBe(130);
    expect(stdout).toContain("CANCELLED");
    expect(stdout + stderr).not.toMatch(COLOUR);
  });

  it("cancels its run when the time is over, and ends with 124", SLOW, async () => {
    const env = { ODG_EXPERTS: PROBE_EXPERT };
    expect((await odg(["run", "nap.json", "--quiet", "--timeout", "300ms"], { cwd: folder, env }).ended).code).toBe(
      124,
    );
  });
});

describe("odg with a running engine", () => {
  let server: Running;
  let url: string;
  beforeAll(async () => {
    const experts = ["schema", "quality", "security"].map((name) => `@odg/expert-${name}`);
    server = engineServer({
      cwd: folder,
      env: {
        ODG_PORT: "0",
        ODG_HTTP_PORT: "0",
        ODG_STORE_DIR: join(folder, "server"),
        ODG_DATA_ROOTS: lake,
        ODG_EXPERTS: [...experts, PROBE_EXPERT].join(),
        ODG_DRAIN_MS: "2000",
      },
    });
    url = (await server.said(/"grpc":"([^"]+)"/))[1] ?? "";
  });
  afterAll(() => void server?.process.kill("SIGKILL"));

  const remote = (...args: string[]) => run(...args, "--engine", url);
  const schema = () =>
    file(
      "schema.yaml",
      "workflow_id: schema_only\ntasks:\n  - { id: schema, expert: SchemaExpert, action: analyze_schema }\n",
    );

  it("runs there, shows a line per change, and finds the run again", SLOW, async () => {
    const ran = await remote("run", schema(), "--input", `dataset=${join(lake, "orders.parquet")}`);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/● schema: runs\n✔ schema: done – .*1,000 rows/);
    expect(ran.stdout).toContain("SUCCEEDED");
    expect(ran.stdout + ran.stderr).not.toMatch(COLOUR);

    const listed = await remote("runs", "--json", "--workflow", "schema_only");
    const { runs } = JSON.parse(listed.stdout);
    expect(runs).toMatchObject([{ workflowId: "schema_only", status: "RUN_STATUS_SUCCEEDED" }]);
    const got = await remote("get", runs[0].runId);
    expect(got).toMatchObject({ code: 0, stderr: "" });
    expect(got.stdout).toContain("SchemaExpert@");
    expect((await remote("runs")).stdout).toContain(runs[0].runId);
  });

  it("plans, lists experts, and checks a workflow against them", SLOW, async () => {
    const plan = await remote("plan", schema());
    expect(plan.stdout).toContain("SchemaExpert");
    expect(plan.stdout).toContain("critical path");
    const experts = await remote("expert", "list", "--json");
    const names = JSON.parse(experts.stdout).experts.map(({ expertName }: { expertName: string }) => expertName);
    expect(names.sort()).toEqual(["ProbeExpert", "QualityExpert", "SchemaExpert", "SecurityExpert"]);
    const misnamed = file(
      "misnamed.json",
      '{"workflow_id":"w","tasks":[{"id":"a","expert":"ShemaExpert","action":"analyze_schema"}]}',
    );
    const refused = await remote("validate", misnamed);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('Did you mean "SchemaExpert"');
  });

  it("may not open what a user types there", SLOW, async () => {
    const { code, stderr } = await remote("run", schema(), "--input", "dataset=/etc/passwd");
    expect(code).toBe(5);
    expect(stderr).toMatch(/^PATH_NOT_ALLOWED: /);
  });

  it("ends with 3 for an unknown run, with 6 for a failed one, and with 9 where no engine answers", SLOW, async () => {
    expect((await remote("get", "01890a5d-ac96-774b-bcce-b302099a8057")).code).toBe(3);
    const tasks = [{ id: "a", expert: "ProbeExpert", action: "fail", inputs: { times: 9 } }];
    const failing = file("failing.json", JSON.stringify({ workflow_id: "failing", tasks }));
    const failed = await remote("run", failing);
    expect(failed.code).toBe(6);
    expect(failed.stdout).toContain("EXPERT_FAILED");
    expect((await run("runs", "--engine", "http://127.0.0.1:1")).code).toBe(9);
  });

  it("leaves its run to the engine on Ctrl-C, and says how to come back", SLOW, async () => {
    const napping = odg(["run", "nap.json", "--engine", url], { cwd: folder });
    await napping.said(/doze: runs/);
    napping.process.kill("SIGINT");
    const { code, stderr } = await napping.ended;
    expect(code).toBe(130);
    const runId = /odg watch ([0-9a-f-]{36})/.exec(stderr)?.[1] ?? "";
    expect(JSON.parse((await remote("get", runId, "--json")).stdout).status).toBe("RUN_STATUS_RUNNING");
  });

  it("sees the server drain on SIGTERM and end with 0", SLOW, async () => {
    server.process.kill("SIGTERM");
    const { code, stderr } = await server.ended;
    expect(code).toBe(0);
    expect(stderr).toContain("engine is stopping");
    expect(stderr).not.toMatch(/"level":50/);
  });
});
