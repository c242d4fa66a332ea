import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SIGNATURE_FILE } from "@odg/expert-plugin-api/package";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { EXIT } from "./exit-code.ts";
import { expertSign, expertVerify } from "./expert-sign.ts";
import { UsageError } from "./usage-error.ts";

/** The folder of a package with a test that is not published, beside the keys of its publisher. */
function packageOf(files = ["index.js", SIGNATURE_FILE]) {
  const folder = mkdtempSync(join(tmpdir(), "odg-sign-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, "package");
  mkdirSync(root);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(folder, "private.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(join(folder, "public.pem"), publicKey.export({ type: "spki", format: "pem" }));
  const write = (name: string, text: string) => writeFileSync(join(root, name), text);
  write("package.json", JSON.stringify({ name: "odg-expert-guest", version: "1.0.0", files }));
  write("index.js", "export default 1;\n");
  write("index.test.js", "// not published\n");
  return { root, write, flags: (key: string) => ({ key: join(folder, key), publisher: "acme" }) };
}

const printed = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
afterEach(() => printed.mockClear());

test("what npm would publish is signed, and verified by the public key", async () => {
  const { root, flags, write } = packageOf();
  expect(await expertSign(root, flags("private.pem"))).toBe(EXIT.ok);
  expect(await expertVerify(root, flags("public.pem"))).toBe(EXIT.ok);
  write("index.test.js", "// changed, and nobody minds\n");
  expect(await expertVerify(root, flags("public.pem"))).toBe(EXIT.ok);
  expect(await expertVerify(root, { ...flags("public.pem"), published: true })).toBe(EXIT.denied);
  write("index.js", "export default 2;\n");
  expect(await expertVerify(root, flags("public.pem"))).toBe(EXIT.denied);
});

test("a package that would leave the signature at home is not signed", async () => {
  const { root, flags } = packageOf(["index.js"]);
  await expect(expertSign(root, flags("private.pem"))).rejects.toThrow('name it in "files"');
  expect(existsSync(join(root, SIGNATURE_FILE))).toBe(false);
});

test("a wrong key or publisher is a wrong command line", async () => {
  const { root, flags } = packageOf();
  await expect(expertSign(root, flags("public.pem"))).rejects.toThrow(UsageError);
  await expect(expertSign(root, flags("nowhere.pem"))).rejects.toThrow("cannot be read");
  await expect(expertSign(root, { ...flags("private.pem"), publisher: "A C" })).rejects.toThrow("--publisher");
});
