// What the guide to clients says, done: by its commands, its programs, and its page in a real browser.
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolPath } from "../../tools/services/endpoints.ts";
import { hasCurl } from "../clients/drive.ts";
import { type OpenHouse, openHouse } from "../clients/open-house.ts";
import { blocksOf, documentText, type Ended, fromRoot, namedFiles, runHere, writeFolder } from "./blocks.ts";

const GUIDE = "docs/guides/clients.md";
const COMMANDS = blocksOf(GUIDE, "sh").map(({ text }) => text);
const CHROMIUM = toolPath("chromium");
const GRPCURL = toolPath("grpcurl");

let folder: string;
let pages: Server;
let house: OpenHouse;

beforeAll(async () => {
  folder = writeFolder(namedFiles(GUIDE));
  pages = await servePage();
  house = await openHouse({
    engine: { ODG_DATA_ROOTS: join(folder, "shop"), ODG_EXPERTS: "@odg/expert-schema" },
    gateway: { ODG_GATEWAY_ORIGINS: origin("127.0.0.1") },
  });
});

afterAll(async () => {
  await house?.close();
  pages?.close();
  pages?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs blocks of the guide as one script, with the servers of this test in the place of those it names. */
function say(blocks: readonly string[]): Promise<Ended> {
  const { grpc, http } = house.engine;
  const script = blocks
    .join("\n")
    .replaceAll("http://127.0.0.1:50051", grpc)
    .replaceAll("127.0.0.1:50051", new URL(grpc).host)
    .replaceAll("http://127.0.0.1:8080", http)
    .replaceAll("shop/", `${fromRoot(folder)}/shop/`)
    .replaceAll(/^grpcurl/gm, GRPCURL ?? "grpcurl");
  return runHere("bash", ["-e", "-o", "pipefail", "-c", script]);
}

function blocksWith(word: string): string[] {
  const found = COMMANDS.filter((text) => text.includes(word));
  if (found.length === 0) throw new Error(`the guide has no command with "${word}"`);
  return found;
}

describe("the guide to clients", () => {
  it("starts servers that there are", () => {
    const { scripts } = JSON.parse(documentText("package.json")) as { scripts: Record<string, string> };
    expect(scripts.engine).toContain("apps/engine/src/main.ts");
    expect(scripts.gateway).toContain("apps/gateway/src/main.ts");
    expect(COMMANDS.slice(0, 2)).toEqual([
      expect.stringMatching(/ODG_DATA_ROOTS=shop npm run engine$/),
      expect.stringMatching(/ODG_GATEWAY_ORIGINS=\S+ npm run gateway$/),
    ]);
  });

  it("names every setting of the gateway, and no other", () => {
    const read = documentText("apps/gateway/src/config.ts").matchAll(/^ {2}(ODG_\w+):/gm);
    const named = documentText(GUIDE).matchAll(/^\| `(ODG_\w+)` \|/gm);
    const names = (found: Iterable<RegExpExecArray>) => [...found].map(([, name]) => name).sort();
    expect(names(named)).toEqual(names(read));
  });

  it.skipIf(!hasCurl())("drives a run by curl", async () => {
    const { code, stdout } = await say(blocksWith("curl -s"));
    expect(code).toBe(0);
    const events = stdout.split("\n").filter((line) => line.startsWith('{"event"'));
    expect(events.map((line) => Number(JSON.parse(line).event.seq))).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1)).toContain('"runCompleted":{');
    expect(stdout).toContain('"code":"invalid_argument"');
    const report = await say(["cat shop/report.json"]);
    expect((JSON.parse(report.stdout) as { rendered: string }).rendered).toContain("# ");
  });

  it.skipIf(!GRPCURL)("drives a run by grpcurl", async () => {
    const { code, stdout } = await say(blocksWith("grpcurl"));
    expect(code).toBe(0);
    expect(stdout).toContain("rpc StartRun (");
    expect(stdout).toContain('"runCompleted": {');
  });

  it.each([
    ["another team's library", "service.mjs", "run_completed"],
    ["the project's own client", "client.ts", "runCompleted"],
  ])("drives a run by %s", async (_, program, last) => {
    const { code, stdout } = await say(blocksWith(program));
    expect(stdout).toMatch(/^1 run_?started/im);
    expect(stdout).toContain(last);
    expect(code).toBe(0);
  });
});

describe.skipIf(CHROMIUM === undefined)("the page of the guide in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"],
    });
  });
  afterAll(() => browser?.close());

  /** Opens the page, presses its button and answers what it shows in the end. */
  async function press(host: string, protocol: string): Promise<{ events: string[]; state: string }> {
    const page = await browser.newPage();
    try {
      await page.goto(`${origin(host)}/?gateway=${house.gateway.http}&${protocol}`);
      await page.getByRole("button", { name: "Look at the orders" }).click();
      await page.locator("#state:not(:empty)").waitFor({ timeout: 20_000 });
      const events = await page.locator("#events li").allTextContents();
      return { events, state: (await page.locator("#state").textContent()) ?? "" };
    } finally {
      await page.close();
    }
  }

  async function countRuns(): Promise<number> {
    const url = `${house.engine.http}/odg.engine.v1.RunService/ListRuns`;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"pageSize":1000}',
    });
    return ((await response.json()) as { runs?: unknown[] }).runs?.length ?? 0;
  }

  it.each(["connect", "grpc-web"])("starts and watches a run from another origin by %s", async (protocol) => {
    const { events, state } = await press("127.0.0.1", protocol);
    expect(state).toBe("ended");
    expect(events[0]).toBe("runStarted");
    expect(events.at(-1)).toBe("runCompleted");
  });

  it.each(["connect", "grpc-web"])("can start nothing from an origin that is not allowed, by %s", async (protocol) => {
    const before = await countRuns();
    const { events, state } = await press("localhost", protocol);
    expect(state).toContain("Failed to fetch");
    expect(events).toEqual([]);
    expect(await countRuns()).toBe(before);
  });
});

function origin(host: string): string {
  return `http://${host}:${(pages.address() as AddressInfo).port}`;
}

/** Serves the guide's page with its script bundled; by two names of this machine it is of two origins. */
async function servePage(): Promise<Server> {
  const bundle = await rolldown({ input: join(folder, "page/page.js"), platform: "browser" });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const server = createServer((request, response) => {
    const script = request.url === "/page.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html; charset=utf-8");
    response.end(script ? output[0].code : namedFiles(GUIDE)["page/index.html"]);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}
