import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { toolPath } from "../../tools/services/endpoints.ts";
import { blocksOf, documentText, folderOfTest, ROOT, runHere } from "./blocks.ts";

const README = "README.md";
const COMMANDS = blocksOf(README, "sh").map(({ text }) => text);

function blockWith(words: string): string {
  const found = COMMANDS.find((text) => text.includes(words));
  if (found === undefined) throw new Error(`the README has no block with "${words}"`);
  return found;
}

// A machine with nothing but Node has no curl: then fetch stands in for the three options that the README uses.
const CURL = `command -v curl > /dev/null || curl() { node -e '
  const { parseArgs } = require("node:util");
  const options = { header: { type: "string", short: "H" }, data: { type: "string", short: "d" }, silent: { type: "boolean", short: "s" } };
  const { values, positionals: [url] } = parseArgs({ args: process.argv.slice(1), options, allowPositionals: true });
  const [name, value] = values.header.split(": ");
  fetch(url, { method: "POST", headers: { [name]: value }, body: values.data }).then((r) => r.text()).then(console.log);
' -- "$@"; }`;

interface Listed {
  experts: { expertName: string; actions: { name: string }[] }[];
}

interface Ready {
  grpc: string;
  http: string;
}

/** The engine as `npm run engine` starts it, on free ports, over a lake of a few rows. */
async function startEngine(folder: string): Promise<Ready> {
  const lake = ["--conditions=@odg/source", "tools/lake/generate.ts", "--rows", "2000", "--out", join(folder, "lake")];
  expect((await runHere(process.execPath, lake)).code).toBe(0);
  const engine = spawn(process.execPath, ["--conditions=@odg/source", "apps/engine/src/main.ts"], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      ODG_DATA_ROOTS: join(folder, "lake"),
      ODG_STORE_DIR: join(folder, "store"),
      ODG_PORT: "0",
      ODG_HTTP_PORT: "0",
    },
  });
  onTestFinished(() => ended(engine));
  for await (const line of createInterface({ input: engine.stderr })) {
    const said = JSON.parse(line) as { msg: string } & Ready;
    if (said.msg === "engine is ready") return said;
  }
  throw new Error("the engine ended before it was ready");
}

async function ended(engine: ChildProcess): Promise<void> {
  if (engine.exitCode !== null) return;
  const exit = new Promise((resolve) => engine.once("exit", resolve));
  engine.kill("SIGTERM");
  await exit;
}

test("the two commands to start with are scripts of the root package, and the report is where the README says", () => {
  const { scripts } = JSON.parse(documentText("package.json")) as { scripts: Record<string, string> };
  expect(blockWith("npm run onboard").trim()).toBe("npm ci && npm run onboard");
  expect(blockWith("npm test").trim()).toBe("npm ci && npm test");
  expect(scripts.onboard).toContain("--report report.html");
  expect(scripts.engine).toContain("apps/engine/src/main.ts");
});

test("what the README says to a running engine is answered", { timeout: 180_000 }, async () => {
  const folder = folderOfTest({});
  const { grpc, http } = await startEngine(folder);
  const here = (text: string) =>
    text
      .replaceAll("http://127.0.0.1:50051", grpc)
      .replaceAll("127.0.0.1:50051", new URL(grpc).host)
      .replaceAll("http://127.0.0.1:8080", http);
  const say = (text: string) => runHere("bash", ["-e", "-c", `${CURL}\n${here(text)}`]);

  const [run, curl] = await Promise.all([say(blockWith("--engine http")), say(blockWith("curl http"))]);
  expect(run.stdout).toContain("SUCCEEDED");
  expect(run.stdout).toContain("3 PII fields require masking: email, phone, ssn");
  expect(run.code).toBe(0);
  expect(curl.stdout).toContain('"runId":');
  expect(curl.stdout).toContain('"runs":[');

  const experts = await say(
    `curl -s http://127.0.0.1:8080/odg.engine.v1.ExpertCatalogService/ListExperts -H 'content-type: application/json' -d '{}'`,
  );
  expect(expertTable()).toEqual(
    Object.fromEntries(
      (JSON.parse(experts.stdout) as Listed).experts.map(({ expertName, actions }) => [
        expertName,
        actions.map(({ name }) => name).sort(),
      ]),
    ),
  );

  const grpcurl = toolPath("grpcurl");
  if (!grpcurl) return;
  const answers = await say(blockWith("grpcurl").replaceAll(/^grpcurl/gm, grpcurl));
  expect(answers.stdout).toContain("odg.engine.v1.RunService");
  expect(answers.stdout).toContain("SecurityExpert@");
  expect(answers.stdout).toContain("SERVING");
});

function expertTable(): Record<string, string[]> {
  const rows = documentText(README).matchAll(/^\| \[(\w+Expert)\]\(([\w/-]+)\) \| (.+?) \|/gm);
  return Object.fromEntries(
    [...rows].map(([, name = "", folder = "", actions = ""]) => {
      expect(existsSync(join(ROOT, folder))).toBe(true);
      return [name, [...actions.matchAll(/`(\w+)`/g)].map(([, action = ""]) => action).sort()];
    }),
  );
}
