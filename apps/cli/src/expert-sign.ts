import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  KeyError,
  type PublisherKey,
  privateKeyOf,
  publicKeyOf,
  publisherSchema,
  SIGNATURE_FILE,
  signPackage,
  verifyPackage,
} from "@odg/expert-plugin-api/package";
import { EXIT } from "./exit-code.ts";
import { printData, printJson } from "./output.ts";
import { UsageError } from "./usage-error.ts";

interface KeyFlags {
  key: string;
  publisher: string;
  json?: boolean;
}

/** Signs what npm would publish of a package. Answers the exit code. */
export async function expertSign(folder: string, flags: KeyFlags): Promise<number> {
  const root = resolve(folder);
  const privateKey = keyIn(flags.key, privateKeyOf);
  const publisher = publisherOf(flags);
  const path = join(root, SIGNATURE_FILE);
  // npm is asked with the file in its place, since a package that leaves it out would travel unsigned.
  writeFileSync(path, "{}\n");
  try {
    const files = await publishedFiles(root);
    if (!files.includes(SIGNATURE_FILE))
      throw new UsageError(`npm would not publish ${SIGNATURE_FILE}: name it in "files" of package.json`);
    const signature = signPackage(root, { publisher, privateKey, files });
    writeFileSync(path, `${JSON.stringify(signature, null, 2)}\n`);
    const { key_id: keyId, digest } = signature;
    if (flags.json) printJson({ publisher, keyId, digest, files: signature.files.length });
    else printData(`${publisher} has signed ${signature.files.length} files with the key ${keyId}: ${path}`);
    return EXIT.ok;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Looks at the signature of a package. Answers the exit code: 0 only where it holds by this key. */
export async function expertVerify(folder: string, flags: KeyFlags & { published?: boolean }): Promise<number> {
  const root = resolve(folder);
  const trusted: PublisherKey[] = [{ publisher: publisherOf(flags), key: keyIn(flags.key, publicKeyOf) }];
  const verdict = verifyPackage(root, trusted, flags.published === true);
  if (flags.json) printJson(verdict);
  else if (verdict.kind === "trusted") printData(`signed by ${verdict.publisher}, key ${verdict.keyId}`);
  else if (verdict.kind === "unknown") printData(`signed by ${verdict.publisher}, whose key is another question`);
  else if (verdict.kind === "unsigned") printData("not signed");
  else printData(`the signature does not hold: ${verdict.why}`);
  return verdict.kind === "trusted" ? EXIT.ok : EXIT.denied;
}

function publisherOf({ publisher }: KeyFlags): string {
  const parsed = publisherSchema.safeParse(publisher);
  if (!parsed.success) throw new UsageError(`--publisher: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

function keyIn<K>(file: string, read: (pem: string) => K): K {
  try {
    return read(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof KeyError) throw new UsageError(`--key ${file}: ${error.message}`);
    throw new UsageError(`--key ${file} cannot be read`);
  }
}

/** Paths of the files that `npm publish` would send, from the package's folder. */
async function publishedFiles(root: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: unknown) => {
    throw new UsageError(`npm cannot pack ${root}: is it the folder of a package?`, { cause: error });
  });
  const packed: unknown = JSON.parse(stdout);
  const [first] = Array.isArray(packed) ? packed : [];
  if (!isPacked(first)) throw new UsageError("npm says no files of this package");
  return first.files.map(({ path }) => path);
}

function isPacked(one: unknown): one is { files: { path: string }[] } {
  return typeof one === "object" && one !== null && "files" in one && Array.isArray(one.files);
}
