// What an expert in a process of its own can reach, beside the engine.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EngineUnderTest, startEngine, workflowOf } from "../testing/engine-under-test.ts";
import { guestHouse, writeGuest } from "../testing/guest.ts";
import { reaches } from "./placement-guard.ts";

let server: Server;
let port: number;
let asked = 0;
const secret = join(mkdtempSync(join(tmpdir(), "odg-secret-")), "secret.txt");
beforeAll(async () => {
  writeFileSync(secret, "hush");
  server = createServer((_, response) => {
    asked++;
    response.end("here");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});
afterAll(() => server.close());

/** An action that does what it is told, and answers what it got, or the code of the error. */
const OBEY = `
  const AsyncFunction = (async () => undefined).constructor;
  const connected = (socket) => new Promise((resolve, refuse) => {
    socket.once("connect", () => { socket.destroy(); resolve("here"); }).once("error", refuse);
  });
  try {
    return await new AsyncFunction("input", "connected", input.body)(input, connected);
  } catch (error) {
    return error?.code ?? error?.cause?.code ?? error?.message;
  }`;

/** Engines by the permissions of their one expert, for all tests. */
const engines = new Map<string, Promise<EngineUnderTest>>();
const houses: string[] = [];
afterAll(async () => {
  for (const engine of engines.values()) await (await engine).close();
  for (const house of houses) rmSync(house, { recursive: true, force: true });
});

function engineWith(permissions: object): Promise<EngineUnderTest> {
  const key = JSON.stringify(permissions);
  const house = guestHouse();
  houses.push(house);
  const start = () =>
    startEngine({ experts: [`process:${writeGuest(join(house, "guest"), { permissions, act: OBEY })}`] });
  const engine = engines.get(key) ?? start();
  engines.set(key, engine);
  return engine;
}

/** Runs the body in an expert of a process with these permissions. */
async function attempt(body: string, permissions: object = {}): Promise<unknown> {
  const engine = await engineWith(permissions);
  const task = { id: "only", expert: "GuestExpert", action: "act", inputs: { port, secret, body } };
  const { run } = await engine.run({ source: { case: "workflow", value: workflowOf([task]) } });
  const [only] = run.tasks;
  expect(only?.failure).toBeUndefined();
  return only?.output ? (toJson(ValueSchema, only.output) as JsonObject).got : undefined;
}

const BOOT = { timeout: 60_000 };
const DENIED = "ERR_ACCESS_DENIED";
const url = `"http://127.0.0.1:" + input.port`;
/** Ways to the server of the test. */
const WAYS: Record<string, string> = {
  fetch: `return await (await fetch(${url})).text();`,
  "net.connect": `return await connected((await import("node:net")).connect(input.port, "127.0.0.1"));`,
  "a socket by hand": `const { Socket } = await import("node:net"); return await connected(new Socket().connect({ port: input.port, host: "127.0.0.1" }));`,
  "http.get": `const http = await import("node:http"); return await new Promise((resolve, refuse) => http.get(${url}, () => resolve("here")).once("error", refuse));`,
  "http2.connect": `const http2 = await import("node:http2"); return await new Promise((resolve, refuse) => http2.connect(${url}).once("error", refuse).once("connect", () => resolve("here")));`,
  "tls.connect": `const tls = await import("node:tls"); return await new Promise((resolve, refuse) => tls.connect({ port: input.port, host: "127.0.0.1" }).once("connect", () => resolve("here")).once("error", refuse));`,
  "require of net": `const { createRequire } = await import("node:module"); return await connected(createRequire(process.cwd() + "/")("net").connect(input.port, "127.0.0.1"));`,
  "a lookup of its own": `return await connected((await import("node:net")).connect({ port: input.port, host: "localhost", lookup: (_, options, done) => options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4) }));`,
  "a worker with options of its own": `
    const { Worker } = await import("node:worker_threads");
    const code = "import { parentPort, workerData } from 'node:worker_threads'; import { connect } from 'node:net'; try { connect(workerData, '127.0.0.1').once('connect', () => parentPort.postMessage('here')).once('error', ({ code }) => parentPort.postMessage(code)); } catch ({ code }) { parentPort.postMessage(code); }";
    const file = new URL("data:text/javascript," + encodeURIComponent(code));
    const worker = new Worker(file, { execArgv: [], env: { NODE_OPTIONS: "" }, workerData: input.port });
    return await new Promise((resolve, refuse) => worker.once("message", (got) => { void worker.terminate(); resolve(got); }).once("error", refuse));`,
};

describe("an expert in a process", () => {
  test.each(Object.entries(WAYS))("reaches no host that its package does not name: %s", BOOT, async (_, body) => {
    const before = asked;
    expect(await attempt(body, { hosts: ["example.com"] })).toBe(DENIED);
    expect(asked).toBe(before);
  });

  test.each(["fetch", "net.connect", "a worker with options of its own"])(
    "reaches a host that its package names: %s",
    BOOT,
    async (way) => {
      expect(await attempt(WAYS[way] ?? "", { hosts: ["127.0.0.1"] })).toBe("here");
    },
  );

  test("reaches a host at the port that its package names, and at no other", BOOT, async () => {
    expect(await attempt(WAYS.fetch ?? "", { hosts: [`127.0.0.1:${port}`] })).toBe("here");
    expect(await attempt(WAYS.fetch ?? "", { hosts: ["127.0.0.1:1"] })).toBe(DENIED);
  });

  test.each([
    ["process", `(await import("node:child_process")).execFileSync("true"); return "done";`],
    ["new life as another program", `process.execve("/bin/true", ["true"]); return "done";`],
    ["file beside its package", `return (await import("node:fs")).readFileSync(input.secret, "utf8");`],
    [
      "worker that is a text",
      `const { Worker } = await import("node:worker_threads"); new Worker("0", { eval: true }); return "done";`,
    ],
    [
      "file in a worker with options of its own",
      `const { Worker } = await import("node:worker_threads");
      const code = "import { parentPort, workerData } from 'node:worker_threads'; import { readFileSync } from 'node:fs'; parentPort.postMessage(readFileSync(workerData, 'utf8'));";
      const file = new URL("data:text/javascript," + encodeURIComponent(code));
      const worker = new Worker(file, { execArgv: [], workerData: input.secret });
      return await new Promise((resolve, refuse) => worker.once("message", resolve).once("error", refuse));`,
    ],
    [
      "new file beside its own folder",
      `(await import("node:fs")).writeFileSync(input.secret + ".new", ""); return "done";`,
    ],
    ["native addon", `process.dlopen({ exports: {} }, "/nowhere.node"); return "done";`],
    [
      "port",
      `return await new Promise((resolve, refuse) => import("node:net").then(({ createServer }) => createServer().once("error", refuse).listen(0, () => resolve("listens"))).catch(refuse));`,
    ],
    ["signal to another process", `process.kill(process.ppid, 0); return "done";`],
    ["datagram", `(await import("node:dgram")).createSocket("udp4"); return "done";`],
    ["name", `return (await (await import("node:dns/promises")).lookup("secret.example.com")).address;`],
    ["binding of Node", `return typeof process.binding("tcp_wrap").TCP;`],
  ])("gets no %s", BOOT, async (what, body) => {
    expect(await attempt(body)).toBe(what === "native addon" ? "ERR_DLOPEN_DISABLED" : DENIED);
  });

  test("may send signals to itself", BOOT, async () => {
    expect(await attempt("return process.kill(process.pid, 0);")).toBe(true);
  });

  test("starts processes where its package asks for them", BOOT, async () => {
    const body = `return (await import("node:child_process")).execFileSync("echo", ["done"]).toString().trim();`;
    expect(await attempt(body, { child_processes: true })).toBe("done");
  });

  test("writes to the folder for temporary files, which is its own and goes with it", BOOT, async () => {
    const body = `
      const { join } = await import("node:path"), { tmpdir } = await import("node:os"), fs = await import("node:fs");
      fs.writeFileSync(join(tmpdir(), "note"), "mine");
      return [fs.readFileSync(join(tmpdir(), "note"), "utf8"), fs.readdirSync(join(tmpdir())).length];`;
    expect(await attempt(body)).toEqual(["mine", 2]);
    expect(readdirSync(tmpdir())).not.toContain("note");
  });
});

describe("a host of the permissions", () => {
  test.each([
    ["api.example.com", "api.example.com", 443, true],
    ["api.example.com", "API.Example.com.", 80, true],
    ["api.example.com", "evil-api.example.com", 443, false],
    ["api.example.com:443", "api.example.com", 443, true],
    ["api.example.com:443", "api.example.com", 80, false],
    ["*.example.com", "a.b.example.com", 443, true],
    ["*.example.com", "example.com", 443, false],
    ["*.example.com", "evilexample.com", 443, false],
    ["10.0.0.7", "10.0.0.70", 1, false],
    ["[::1]:443", "::1", 443, true],
    ["[::1]", "[::1]", 1, true],
  ])("%s and %s at %d: %s", (entry, host, at, expected) => {
    expect(reaches(entry, host, at)).toBe(expected);
  });
});
