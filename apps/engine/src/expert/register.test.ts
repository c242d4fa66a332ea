// RegisterExpert, ApproveExpert and RestartExpert, and what a package is held to.
import { generateKeyPairSync } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { action, defineExpert, type Expert } from "@odg/expert-plugin-api";
import { packageFiles, SIGNATURE_FILE, signPackage } from "@odg/expert-plugin-api/package";
import { serveExpert } from "@odg/expert-plugin-api/serve";
import { ExpertStatus } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reasonOf } from "@odg/rpc";
import { describe, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import type { EngineConfig } from "../config.ts";
import { startEngine, workflowOf } from "../testing/engine-under-test.ts";
import { type GuestOptions, guestHouse, writeGuest } from "../testing/guest.ts";

const acme = generateKeyPairSync("ed25519");
const ACME = `acme=${acme.publicKey.export({ type: "spki", format: "pem" })}`;
const BOOT = { timeout: 60_000 };

/** An engine without experts, that lets whatever lies in a folder be registered, each in a process of its own. */
async function setUp(config: Partial<EngineConfig> = {}) {
  const house = guestHouse();
  onTestFinished(() => rmSync(house, { recursive: true, force: true }));
  const engine = await startEngine({ experts: [], registerAllow: [`process:${house}/*`], ...config });
  onTestFinished(() => engine.close());
  const root = join(house, "guest");
  const register = (options?: GuestOptions, spec = `process:${root}`) => {
    if (options) writeGuest(root, options);
    return engine.experts.registerExpert({ spec });
  };
  const ids = async () => (await engine.experts.listExperts({})).experts.map(({ expertId }) => expertId);
  return { house, root, engine, register, ids };
}

async function refusal(call: Promise<unknown>): Promise<{ code: string; reason: string; message: string }> {
  const error = await call.then(
    () => new Error("it was not refused"),
    (caught: unknown) => caught,
  );
  const { code, rawMessage } = ConnectError.from(error);
  return { code: Code[code] ?? "", reason: Reason[reasonOf(error)] ?? "", message: rawMessage };
}

function sign(root: string, publisher = "acme", privateKey = acme.privateKey): void {
  const signature = signPackage(root, { publisher, privateKey, files: packageFiles(root) });
  writeFileSync(join(root, SIGNATURE_FILE), JSON.stringify(signature));
}

describe("an expert that is registered while the engine runs", () => {
  test("takes tasks at once, and is there once however often it is registered", BOOT, async () => {
    const { engine, register } = await setUp();
    const { experts } = await register({ act: "return 7;" });
    expect(experts.map(({ expertId, status }) => [expertId, status])).toEqual([
      ["GuestExpert@1.0.0", ExpertStatus.AVAILABLE],
    ]);
    const [again, sameTime] = await Promise.all([register(), register()]);
    expect(again.experts[0]?.maxConcurrentTasks).toBe(experts[0]?.maxConcurrentTasks);
    expect(sameTime.experts).toHaveLength(1);
    const task = { id: "only", expert: "GuestExpert", action: "act" };
    const { run } = await engine.run({ source: { case: "workflow", value: workflowOf([task]) } });
    expect(run.status).toBe(RunStatus.SUCCEEDED);
  });

  test("comes in another version beside the first", BOOT, async () => {
    const { register, ids } = await setUp();
    await register({ version: "1.0.0" });
    await register({ version: "1.1.0" });
    expect(await ids()).toEqual(["GuestExpert@1.1.0", "GuestExpert@1.0.0"]);
  });

  test("is only what the operator allows, and nothing without a word", BOOT, async () => {
    const closed = await setUp({ registerAllow: [] });
    const denied = { code: "PermissionDenied", reason: "POLICY_DENIED" };
    expect(await refusal(closed.register({}))).toMatchObject(denied);
    const { house, root, register } = await setUp();
    writeGuest(root);
    // In the engine's own process; beside the folder; by a way around; at an address.
    for (const spec of [root, "process:/etc", `process:${house}/x/../guest`, "remote:dns:///127.0.0.1:1"])
      expect(await refusal(register(undefined, spec)), spec).toMatchObject(denied);
    const elsewhere = guestHouse();
    onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
    symlinkSync(writeGuest(join(elsewhere, "guest")), join(house, "link"));
    expect(await refusal(register(undefined, `process:${house}/link`))).toMatchObject(denied);
  });

  test("is refused with the field where the entry is none, or nothing is there", BOOT, async () => {
    const { house, register } = await setUp();
    expect(await refusal(register(undefined, "process:"))).toMatchObject({ reason: "FIELD_FORMAT" });
    expect(await refusal(register(undefined, `process:${house}/nobody`))).toMatchObject({
      code: "FailedPrecondition",
      reason: "EXPERT_UNAVAILABLE",
    });
  });
});

describe("a remote expert that is registered", () => {
  const setUpAt = async (expert: Expert) => {
    const server = await serveExpert(expert, { host: "http://127.0.0.1:1", threads: 1, drainMs: 100 });
    onTestFinished(() => server.close());
    const spec = `remote:dns:///127.0.0.1:${new URL(server.url).port}`;
    const hostListen = { host: "127.0.0.1", port: 0 };
    return { ...(await setUp({ registerAllow: ["remote:dns:///127.0.0.1:*"], hostListen })), spec };
  };
  const wait = action({ capability: "waiting", input: z.object({}), output: z.object({}), execute: async () => ({}) });

  test("takes tasks at once, and is there once however often it is registered", BOOT, async () => {
    const { engine, register, spec } = await setUpAt(
      defineExpert({ name: "DistantExpert", version: "1.0.0", actions: { wait } }),
    );
    for (let i = 0; i < 2; i++)
      expect((await register(undefined, spec)).experts).toMatchObject([{ placement: "remote" }]);
    const task = { id: "only", expert: "DistantExpert", action: "wait" };
    const { run } = await engine.run({ source: { case: "workflow", value: workflowOf([task]) } });
    expect(run.status).toBe(RunStatus.SUCCEEDED);
  });

  test("may not have the name of a built-in one", BOOT, async () => {
    const { register, ids, spec } = await setUpAt(
      defineExpert({ name: "SecurityExpert", version: "99.0.0", actions: { wait } }),
    );
    expect(await refusal(register(undefined, spec))).toMatchObject({ reason: "EXPERT_UNTRUSTED" });
    expect(await ids()).toEqual([]);
  });
});

describe("a package that is registered", () => {
  test("may not change its bytes under one version", BOOT, async () => {
    const { register, ids } = await setUp();
    await register({});
    expect(await refusal(register({ more: "changed" }))).toMatchObject({
      code: "AlreadyExists",
      reason: "EXPERT_CHANGED",
    });
    await register({ more: "changed", version: "1.0.1" });
    expect(await ids()).toContain("GuestExpert@1.0.1");
  });

  test("waits for an administrator where it asks for more than before", BOOT, async () => {
    const { engine, register, ids } = await setUp();
    await register({ permissions: { datasets: "metadata" } });
    const wider = { version: "1.1.0", permissions: { datasets: "read", hosts: ["api.example.com"] } };
    const refused = { code: "FailedPrecondition", reason: "EXPERT_APPROVAL_REQUIRED" };
    expect(await refusal(register(wider))).toMatchObject(refused);
    // Another name for its expert is no way around.
    expect(await refusal(register({ ...wider, expert: "RenamedExpert" }))).toMatchObject(refused);
    expect(await refusal(register(wider))).toMatchObject(refused);
    const { pending } = await engine.experts.listExperts({ includePending: true });
    expect(pending).toMatchObject([
      {
        packageName: "odg-expert-guest",
        version: "1.1.0",
        wider: ["datasets", "hosts"],
        permissions: wider.permissions,
      },
    ]);
    const asked = { packageName: "odg-expert-guest", version: "1.1.0" };
    const approve = (digest: string) => engine.experts.approveExpert({ ...asked, digest });
    expect(await refusal(approve("f".repeat(64)))).toMatchObject({ reason: "STATE_INVALID" });
    const { experts } = await approve(pending[0]?.digest ?? "");
    expect(experts.map(({ expertId }) => expertId)).toEqual(["GuestExpert@1.1.0"]);
    expect(await ids()).toEqual(["GuestExpert@1.1.0", "GuestExpert@1.0.0"]);
    expect((await engine.experts.listExperts({ includePending: true })).pending).toEqual([]);
    // What was granted once is granted to the next version, too.
    expect((await register({ ...wider, version: "1.2.0" })).experts).toHaveLength(1);
  });

  test("is not what was approved where its bytes have changed since", BOOT, async () => {
    const { engine, register } = await setUp();
    await register({});
    const wider = { version: "1.1.0", permissions: { models: true } };
    await refusal(register(wider));
    const asked = { packageName: "odg-expert-guest", version: "1.1.0" };
    expect(await refusal(register({ ...wider, more: "worse" }))).toMatchObject({ reason: "EXPERT_APPROVAL_REQUIRED" });
    const seen = (await engine.experts.listExperts({ includePending: true })).pending[0]?.digest ?? "";
    expect(seen).toMatch(/^[0-9a-f]{64}$/);
    await refusal(register(wider));
    expect(await refusal(engine.experts.approveExpert({ ...asked, digest: seen }))).toMatchObject({
      reason: "STATE_INVALID",
    });
  });

  test("cannot be approved where nothing is pending", BOOT, async () => {
    const { engine } = await setUp();
    const nobody = engine.experts.approveExpert({ packageName: "nobody", version: "1.0.0" });
    expect(await refusal(nobody)).toMatchObject({ code: "NotFound" });
  });

  test.each([
    ["a package of the engine's scope", { name: "@odg/expert-better" }],
    ["a package of the engine's own name", { name: "@odg/expert-schema" }],
    ["the name of a built-in expert", { expert: "SchemaExpert" }],
  ])("may not take %s", BOOT, async (_, options) => {
    const { register, ids } = await setUp();
    expect(await refusal(register(options))).toMatchObject({ code: "PermissionDenied", reason: "EXPERT_UNTRUSTED" });
    expect(await ids()).toEqual([]);
  });

  test("may not take them at the start either, but where the operator says so", BOOT, async () => {
    const house = guestHouse();
    onTestFinished(() => rmSync(house, { recursive: true, force: true }));
    const experts = [`process:${writeGuest(join(house, "guest"), { name: "@odg/expert-better" })}`];
    expect(await refusal(startEngine({ experts }))).toMatchObject({ reason: "EXPERT_UNTRUSTED" });
    await (await startEngine({ experts, ownFolders: [house] })).close();
  });
});

describe("a signed package", () => {
  test("tells its publisher", BOOT, async () => {
    const { root, register } = await setUp({ trustedKeys: [ACME], requireSignatures: true });
    writeGuest(root);
    sign(root);
    expect((await register()).experts[0]?.publisher).toBe("acme");
  });

  test("is refused before its code runs where the signature does not hold, whatever the policy", BOOT, async () => {
    const { root, house, register } = await setUp({ trustedKeys: [ACME] });
    writeGuest(root);
    sign(root);
    const mark = join(house, "ran");
    appendFileSync(join(root, "index.js"), `(await import("node:fs")).writeFileSync(${JSON.stringify(mark)}, "");`);
    expect(await refusal(register())).toMatchObject({
      code: "PermissionDenied",
      reason: "EXPERT_UNTRUSTED",
      message: expect.stringContaining("not those that were signed"),
    });
    expect(() => readFileSync(mark)).toThrow("ENOENT");
    writeGuest(root);
    sign(root, "acme", generateKeyPairSync("ed25519").privateKey);
    expect(await refusal(register())).toMatchObject({ reason: "EXPERT_UNTRUSTED" });
  });

  test("is required where the operator says so", BOOT, async () => {
    const { root, register } = await setUp({ trustedKeys: [ACME], requireSignatures: true });
    expect(await refusal(register({}))).toMatchObject({ reason: "EXPERT_UNTRUSTED" });
    sign(root, "umbrella", generateKeyPairSync("ed25519").privateKey);
    expect(await refusal(register())).toMatchObject({ reason: "EXPERT_UNTRUSTED" });
  });

  test("cannot be followed by one that its publisher did not sign, without an approval", BOOT, async () => {
    const { engine, root, register } = await setUp({ trustedKeys: [ACME] });
    writeGuest(root);
    sign(root);
    await register();
    expect(await refusal(register({ version: "1.1.0" }))).toMatchObject({ reason: "EXPERT_APPROVAL_REQUIRED" });
    expect((await engine.experts.listExperts({ includePending: true })).pending[0]?.wider).toEqual(["publisher"]);
  });
});

describe("an expert that crashed too often", () => {
  test("is started again by hand", { timeout: 90_000 }, async () => {
    const { engine, register } = await setUp();
    await register({ act: "process.exit(1);" });
    expect(await refusal(engine.experts.restartExpert({ expertId: "GuestExpert@1.0.0" }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "STATE_INVALID",
    });
    const retry = { max_attempts: 5, initial_interval: "0.01s", max_interval: "0.02s" };
    const task = { id: "only", expert: "GuestExpert", action: "act", retry };
    await engine.run({ source: { case: "workflow", value: workflowOf([task]) } });
    const status = async () => (await engine.experts.getExpert({ expertId: "GuestExpert" })).expert?.status;
    await expect.poll(status, { timeout: 30_000 }).toBe(ExpertStatus.OFFLINE);
    const { expert } = await engine.experts.restartExpert({ expertId: "GuestExpert@1.0.0" });
    expect(expert?.status).toBe(ExpertStatus.AVAILABLE);
  });
});
