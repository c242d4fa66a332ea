// Remote experts behind TLS, and one for several engines.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import tls from "node:tls";
import { pathToFileURL } from "node:url";
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Expert } from "@odg/expert-plugin-api";
import { type ServeOptions, serveExpert } from "@odg/expert-plugin-api/serve";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import type { EngineConfig } from "../config.ts";
import { writeCurious } from "../testing/curious.ts";
import { type EngineUnderTest, PROBE_EXPERT, startEngine, workflowOf } from "../testing/index.ts";
import { isLoopback } from "./spec.ts";

const PEM = resolve(import.meta.dirname, "../testing/tls");
const pem = (name: string) => readFileSync(join(PEM, name));
const SERVER = { cert: pem("server.pem"), key: pem("server.key.pem") };
const TOKEN = "a-token-of-more-than-16";
const SLOW = { timeout: 60_000 };
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === "object" && address ? address.port : 0;
}

async function serve(folder: string, options: Omit<ServeOptions, "token" | "drainMs">): Promise<string> {
  const { default: expert }: { default: Expert } = await import(pathToFileURL(join(folder, "index.ts")).href);
  const server = await serveExpert(expert, { token: TOKEN, drainMs: 100, threads: 1, ...options });
  opened.push(server);
  return new URL(server.url).port;
}

async function start(config: Partial<EngineConfig>): Promise<EngineUnderTest> {
  const hostListen = { host: "127.0.0.1", port: 0 };
  const engine = await startEngine({ remoteToken: TOKEN, hostListen, ...config });
  opened.push(engine);
  return engine;
}

const ids = async (engine: EngineUnderTest) =>
  (await engine.experts.listExperts({})).experts.map(({ expertId }) => expertId);

async function runOne(engine: EngineUnderTest, task: object) {
  const workflow = workflowOf([{ id: "only", ...task }]);
  return (await engine.run({ source: { case: "workflow", value: workflow } })).run.tasks[0];
}

describe("a remote expert behind TLS", () => {
  // It would be asked again for ten seconds, as long as it may just be starting.
  test("is met by nobody who does not know its root, or comes in plain", SLOW, async () => {
    const port = await serve(PROBE_EXPERT, { host: "http://127.0.0.1:1", tls: SERVER });
    const [stranger, plain] = await Promise.all([
      start({ experts: [`remote+tls:dns:///localhost:${port}`] }),
      start({ experts: [`remote:dns:///localhost:${port}`] }),
    ]);
    expect(await ids(stranger)).toEqual([]);
    expect(await ids(plain)).toEqual([]);
    expect([...stranger.log, ...plain.log].join("")).not.toContain(TOKEN);
  });

  test("wants a certificate of its engine where it says so", SLOW, async () => {
    const hostPort = await freePort();
    const host = `http://127.0.0.1:${hostPort}`;
    const mutual = { ...SERVER, ca: pem("ca.pem"), requestCert: true, rejectUnauthorized: true };
    const port = await serve(PROBE_EXPERT, { host, tls: mutual });
    const entry = {
      experts: [`remote+tls:dns:///localhost:${port}`],
      hostListen: { host: "127.0.0.1", port: hostPort },
    };
    const ca = join(PEM, "ca.pem");
    const known = await start({
      ...entry,
      remoteTls: { ca, cert: join(PEM, "client.pem"), key: join(PEM, "client.key.pem") },
    });
    expect(await ids(known)).toEqual(["ProbeExpert@1.0.0"]);
    const unknown = await start({ experts: entry.experts, remoteTls: { ca } });
    expect(await ids(unknown)).toEqual([]);
  });

  test("works for its engine, and asks it back by TLS", SLOW, async () => {
    const before = tls.getCACertificates();
    // What NODE_EXTRA_CA_CERTS does for the process of an expert.
    tls.setDefaultCACertificates([...before, pem("ca.pem").toString()]);
    onTestFinished(() => tls.setDefaultCACertificates(before));
    const hostPort = await freePort();
    const port = await serve(PROBE_EXPERT, { host: `https://localhost:${hostPort}`, tls: SERVER });
    const engine = await start({
      experts: [`remote+tls:dns:///localhost:${port}`],
      hostListen: { host: "127.0.0.1", port: hostPort },
      hostTls: { cert: join(PEM, "server.pem"), key: join(PEM, "server.key.pem") },
      remoteTls: { ca: join(PEM, "ca.pem") },
    });
    const task = await runOne(engine, { expert: "ProbeExpert", action: "echo", inputs: { say: "hello" } });
    expect(task?.failure).toBeUndefined();
  });

  test("is named with files that can be read", async () => {
    const remoteTls = { ca: "/nowhere/ca.pem" };
    await expect(startEngine({ experts: [], remoteTls })).rejects.toThrow(
      "ODG_REMOTE_CA: the file cannot be read: ENOENT",
    );
  });
});

describe("the token of remote experts", () => {
  test("does not leave the machine unencrypted, unless the operator says so", SLOW, async () => {
    const experts = ["remote:dns:///expert.invalid:1"];
    await expect(start({ experts })).rejects.toThrow("use remote+tls:dns:///expert.invalid:1");
    expect(await ids(await start({ experts, remoteTokenInPlain: true }))).toEqual([]);
  });

  test.each([
    ["dns:///127.0.0.1:50061", true],
    ["dns:localhost:50061", true],
    ["ipv6:[::1]:50061", true],
    ["unix:/run/expert", true],
    ["ipv4:127.0.0.1:1,127.0.0.2:1", true],
    ["ipv4:127.0.0.1:1,10.0.0.2:1", false],
    ["dns:///127.0.0.1.example.com:1", false],
    ["dns:///schema-expert:50061", false],
    ["dns://127.0.0.1/schema-expert:50061", false],
  ])("stays on the machine at %s: %s", (target, expected) => {
    expect(isLoopback(target)).toBe(expected);
  });
});

describe("a remote expert of several engines", () => {
  const folder = mkdtempSync(join(tmpdir(), "odg-several-"));
  writeFileSync(join(folder, "north.csv"), "id\n1\n2\n");
  writeFileSync(join(folder, "south.csv"), "id\n1\n2\n3\n");

  /** Two engines with data of their own, and one expert that knows both, and nobody else. */
  async function several(plugin: string, names = ["north", "south"]) {
    const doors = await Promise.all(names.map(async (name) => ({ name, port: await freePort() })));
    const known = doors.filter(({ name }) => name !== "stranger");
    const host = Object.fromEntries(known.map(({ name, port }) => [name, `http://127.0.0.1:${port}`]));
    const port = await serve(plugin, { host });
    const engines = doors.map(({ name, port: door }) =>
      start({
        experts: [`remote:dns:///127.0.0.1:${port}`],
        hostName: name,
        hostListen: { host: "127.0.0.1", port: door },
        dataRoots: [folder],
      }),
    );
    return Promise.all(engines);
  }

  test("asks back whoever gave it the task, also from its workers", SLOW, async () => {
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const engines = await several(writeCurious({ datasets: "read" }));
    const asked = ["offloadRead", "read"].flatMap((what) =>
      ["north", "south"].map(async (name, i) => {
        const dataset = join(folder, `${name}.csv`);
        const task = { expert: "CuriousExpert", action: "ask", inputs: { dataset, what } };
        const [engine] = engines.slice(i);
        const done = engine ? await runOne(engine, task) : undefined;
        expect(done?.failure).toBeUndefined();
        return done?.output ? (toJson(ValueSchema, done.output) as JsonObject).got : undefined;
      }),
    );
    expect(await Promise.all(asked)).toEqual([2, 3, 2, 3]);
  });

  test("asks nobody whom its operator has not named", SLOW, async () => {
    const [, stranger] = await several(PROBE_EXPERT, ["north", "stranger"]);
    const task = stranger ? await runOne(stranger, { expert: "ProbeExpert", action: "echo" }) : undefined;
    expect(Reason[task?.failure?.reason ?? 0]).toBe("UNAUTHENTICATED");
  });
});
