import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConfigError, readConfig } from "../config.ts";
import { placementOptionsOf, trustPolicyOf } from "./placement-options.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const PEM = publicKey.export({ type: "spki", format: "pem" }).toString();

const policyOf = (environment: Record<string, string>) => trustPolicyOf(readConfig(environment).engine);

describe("keys of publishers", () => {
  test("are read from a file, from the setting itself, and from one line", () => {
    const folder = mkdtempSync(join(tmpdir(), "odg-keys-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "acme.pem"), PEM);
    const entries = [`acme=${join(folder, "acme.pem")}`, `umbrella=${PEM}`, `initech=${PEM.replaceAll("\n", "\\n")}`];
    const { trustedKeys } = policyOf({ ODG_TRUSTED_KEYS: entries.join(",") });
    expect(trustedKeys.map(({ publisher }) => publisher)).toEqual(["acme", "umbrella", "initech"]);
    for (const { key } of trustedKeys) expect(key.equals(publicKey)).toBe(true);
  });

  test.each([
    ["without a publisher", PEM, "an entry looks like"],
    ["in a file that is not there", "acme=/nowhere/acme.pem", "ENOENT"],
    ["that are private", `acme=${privateKey.export({ type: "pkcs8", format: "pem" })}`, "private key"],
  ])("are refused %s, and never repeated", (_, entry, why) => {
    const read = () => policyOf({ ODG_TRUSTED_KEYS: entry });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(why);
    expect(read).not.toThrow(/BEGIN|MC4C/);
  });
});

test("a certificate means nothing without its key", () => {
  expect(() => readConfig({ ODG_HOST_CERT: "a.pem", ODG_REMOTE_KEY: "b.pem" })).toThrow(
    /ODG_HOST_KEY: is needed beside ODG_HOST_CERT\n.*ODG_REMOTE_CERT: is needed beside ODG_REMOTE_KEY/,
  );
});

test("by default nothing may be registered, no signature is asked for, and a quarantine takes five minutes", () => {
  const { engine } = readConfig({});
  expect(trustPolicyOf(engine)).toEqual({ allowWider: [], trustedKeys: [], requireSignatures: false, ownFolders: [] });
  expect(placementOptionsOf(engine)).toMatchObject({ registerAllow: [], coolDownMs: 300_000, remoteTls: {} });
});
