import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  isPublishedCopy,
  type PublisherKey,
  packageFiles,
  privateKeyOf,
  publicKeyOf,
  SIGNATURE_FILE,
  signPackage,
  verifyPackage,
} from "./package.ts";

function folderOf(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "odg-signed-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const acme = generateKeyPairSync("ed25519");
const trusted: PublisherKey[] = [{ publisher: "acme", key: acme.publicKey }];
const FILES = { "package.json": '{"name":"odg-expert-guest"}', "dist/index.js": "export default 1;\n" };

/** A package that acme has signed. */
function signed(privateKey = acme.privateKey, publisher = "acme"): string {
  const root = folderOf(FILES);
  const signature = signPackage(root, { publisher, privateKey, files: packageFiles(root) });
  writeFileSync(join(root, SIGNATURE_FILE), JSON.stringify(signature));
  return root;
}

function change(root: string, of: (signature: Record<string, unknown>) => void): void {
  const path = join(root, SIGNATURE_FILE);
  const signature = JSON.parse(readFileSync(path, "utf8"));
  of(signature);
  writeFileSync(path, JSON.stringify(signature));
}

describe("the signature of a package", () => {
  test("holds by the key of its publisher", () => {
    expect(verifyPackage(signed(), trusted, true)).toMatchObject({ kind: "trusted", publisher: "acme" });
  });

  test("says nothing where there is none", () => {
    expect(verifyPackage(folderOf(FILES), trusted, true)).toEqual({ kind: "unsigned" });
  });

  test("is of an unknown publisher where no key of theirs is known", () => {
    expect(verifyPackage(signed(), [], true)).toMatchObject({ kind: "unknown", publisher: "acme" });
  });

  const bad = (root: string, exact = true) => verifyPackage(root, trusted, exact);

  test("does not hold where a byte of a file is another, whoever has signed", () => {
    const root = signed();
    writeFileSync(join(root, "dist/index.js"), "export default 2;\n");
    expect(bad(root)).toMatchObject({ kind: "bad", why: expect.stringContaining("not those that were signed") });
    expect(verifyPackage(root, [], true)).toMatchObject({ kind: "bad" });
  });

  test("does not hold where a file is gone, or one more is there", () => {
    const less = signed();
    rmSync(join(less, "dist/index.js"));
    expect(bad(less)).toMatchObject({ kind: "bad", why: expect.stringContaining("dist/index.js") });
    const more = signed();
    writeFileSync(join(more, "dist/more.js"), "");
    expect(bad(more)).toMatchObject({ kind: "bad", why: "a file was not signed: dist/more.js" });
    expect(bad(more, false)).toMatchObject({ kind: "trusted" });
  });

  test("does not hold by the key of somebody else who says to be the publisher", () => {
    expect(bad(signed(generateKeyPairSync("ed25519").privateKey))).toMatchObject({
      kind: "bad",
      why: expect.stringContaining("none of theirs"),
    });
  });

  test("does not hold for another publisher, other files or another digest than it was made for", () => {
    const other = signed();
    change(other, (signature) => Object.assign(signature, { publisher: "umbrella" }));
    const both = [...trusted, { publisher: "umbrella", key: acme.publicKey }];
    expect(verifyPackage(other, both, true)).toMatchObject({ kind: "bad" });
    const forged = signed();
    change(forged, (signature) => Object.assign(signature, { signature: Buffer.alloc(64).toString("base64") }));
    expect(bad(forged)).toMatchObject({ kind: "bad", why: expect.stringContaining("not made by the key") });
  });

  test.each([
    ["no JSON", "{"],
    ["no signature", "[]"],
    ["a path that leads out", JSON.stringify({ files: ["../../etc/passwd"] })],
  ])("does not hold where its file is %s", (_, text) => {
    expect(bad(folderOf({ ...FILES, [SIGNATURE_FILE]: text }))).toMatchObject({ kind: "bad" });
  });

  test("does not hold where package.json, which says what is loaded, was left out", () => {
    const root = folderOf(FILES);
    const signature = signPackage(root, { publisher: "acme", privateKey: acme.privateKey, files: ["dist/index.js"] });
    writeFileSync(join(root, SIGNATURE_FILE), JSON.stringify(signature));
    expect(bad(root, false)).toMatchObject({ kind: "bad", why: "package.json is not signed" });
  });
});

describe("a key", () => {
  test("is refused where it is of another kind, or the private one, and is never repeated", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(() => publicKeyOf(rsa.publicKey.export({ type: "spki", format: "pem" }).toString())).toThrow("Ed25519");
    const secret = acme.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(() => publicKeyOf(secret)).toThrow("private key");
    expect(() => privateKeyOf("nonsense")).toThrow("no private key in PEM");
    expect(privateKeyOf(secret).asymmetricKeyType).toBe("ed25519");
  });
});

describe("a folder", () => {
  test("is a published copy where nobody works in it", () => {
    expect(isPublishedCopy(folderOf(FILES))).toBe(true);
    expect(
      isPublishedCopy(
        join(folderOf({ "node_modules/guest/package.json": "{}", ".git/HEAD": "" }), "node_modules/guest"),
      ),
    ).toBe(true);
  });

  test.each([
    ["a repository", ".git/HEAD", ""],
    ["a workspace", "package.json", '{"workspaces":["packages/*"]}'],
  ])("is none inside of %s", (_, file, text) => {
    expect(
      isPublishedCopy(join(folderOf({ [file]: text, "packages/guest/package.json": "{}" }), "packages/guest")),
    ).toBe(false);
  });

  test("is none with a lock file, which npm publishes never", () => {
    expect(isPublishedCopy(folderOf({ ...FILES, "package-lock.json": "{}" }))).toBe(false);
  });
});
