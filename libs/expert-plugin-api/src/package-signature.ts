// A publisher's word that a package is theirs: a detached Ed25519 signature over its files.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { digestOfFiles, packageFiles, SIGNATURE_FILE } from "./package-files.ts";

/** A file's path inside of its package, that leads nowhere else. */
const inside = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) => path.split("/").every((part) => part !== "" && part !== "." && part !== "..") && !path.includes("\\"),
    "is no path inside of the package",
  );

/** How publishers call themselves. */
export const publisherSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a publisher is named by small letters, digits and hyphens");

/** `odg-signature.json` of a package. */
export const signatureSchema = z.strictObject({
  publisher: publisherSchema,
  /** See {@link keyIdOf}. */
  key_id: z.string().regex(/^[0-9a-f]{32}$/),
  /** What is signed, in order: all that is published but this file. */
  files: z.array(inside).min(1).max(20_000),
  /** See `digestOfFiles`. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Ed25519, in base64. */
  signature: z.base64(),
});

/** `odg-signature.json` of a package. */
export type PackageSignature = z.output<typeof signatureSchema>;

/** A public key, and whose it is. */
export interface PublisherKey {
  readonly publisher: string;
  readonly key: KeyObject;
}

/** What a package's signature is worth. */
export type SignatureVerdict =
  | { readonly kind: "unsigned" }
  /** It holds, by a key of the list. */
  | { readonly kind: "trusted"; readonly publisher: string; readonly keyId: string }
  /** The files are those that were signed, by a key that the list does not have. */
  | { readonly kind: "unknown"; readonly publisher: string; readonly keyId: string }
  /** It does not hold; `why` says so as the end of a sentence. */
  | { readonly kind: "bad"; readonly why: string };

/** A key that cannot be used; the message never repeats it. */
export class KeyError extends Error {
  override readonly name = "KeyError";
}

/** Names a public key: the first 128 bits of SHA-256 over its SPKI form, in hex. */
export function keyIdOf(key: KeyObject): string {
  const bytes = key.export({ type: "spki", format: "der" });
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

/** Reads a public key from PEM. @throws KeyError where it is none of Ed25519 */
export function publicKeyOf(pem: string): KeyObject {
  return ed25519(() => {
    // A private key would be taken too, and would then lie where public ones do.
    if (/PRIVATE KEY/.test(pem)) throw new KeyError("this is a private key: keep it, and give the public one");
    return createPublicKey(pem);
  }, "public");
}

/** Reads a private key from PEM. @throws KeyError where it is none of Ed25519, or is encrypted */
export function privateKeyOf(pem: string): KeyObject {
  return ed25519(() => createPrivateKey(pem), "private");
}

function ed25519(read: () => KeyObject, kind: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    if (error instanceof KeyError) throw error;
    throw new KeyError(`this is no ${kind} key in PEM that can be read without a passphrase`, { cause: error });
  }
  if (key.asymmetricKeyType !== "ed25519") throw new KeyError(`the ${kind} key is not one of Ed25519`);
  return key;
}

/**
 * Signs the files of a package.
 *
 * @param root Folder of the package.
 * @param files What will be published, by paths from there; the signature's own file is left out.
 */
export function signPackage(
  root: string,
  { publisher, privateKey, files }: { publisher: string; privateKey: KeyObject; files: readonly string[] },
): PackageSignature {
  const signed = files.filter((file) => file !== SIGNATURE_FILE).toSorted();
  const digest = digestOfFiles(root, signed);
  const claim = { publisher, key_id: keyIdOf(createPublicKey(privateKey)), files: signed, digest };
  const signature = sign(null, bytesOf(claim), privateKey).toString("base64");
  return signatureSchema.parse({ ...claim, signature });
}

/**
 * Looks at a package's signature.
 *
 * @param root Folder of the package.
 * @param trusted Keys of publishers.
 * @param exact Whether there may be no file that was not signed: for a published copy.
 */
export function verifyPackage(root: string, trusted: readonly PublisherKey[], exact: boolean): SignatureVerdict {
  const path = join(root, SIGNATURE_FILE);
  if (!existsSync(path)) return { kind: "unsigned" };
  const signature = read(path);
  if (typeof signature === "string") return { kind: "bad", why: signature };
  const fault = faultOfFiles(root, signature, exact);
  if (fault) return { kind: "bad", why: fault };
  const { publisher, key_id: keyId } = signature;
  const keys = trusted.filter((one) => one.publisher === publisher);
  if (keys.length === 0) return { kind: "unknown", publisher, keyId };
  const key = keys.find((one) => keyIdOf(one.key) === keyId);
  if (!key) return { kind: "bad", why: `it says to be of ${publisher}, and its key is none of theirs` };
  const holds = verify(null, bytesOf(signature), key.key, Buffer.from(signature.signature, "base64"));
  return holds
    ? { kind: "trusted", publisher, keyId }
    : { kind: "bad", why: "it was not made by the key that it names" };
}

function read(path: string): PackageSignature | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return `${SIGNATURE_FILE} is no JSON`;
  }
  const signature = signatureSchema.safeParse(parsed);
  if (signature.success) return signature.data;
  return `${SIGNATURE_FILE} is none: ${signature.error.issues[0]?.path.join(".") || "its fields"} cannot be so`;
}

function faultOfFiles(root: string, { files, digest }: PackageSignature, exact: boolean): string | undefined {
  if (!files.includes("package.json")) return "package.json is not signed";
  const missing = files.find((file) => !existsSync(join(root, file)));
  if (missing !== undefined) return `a file that was signed is not there: ${missing}`;
  const signed = new Set(files);
  const added = exact ? packageFiles(root).find((file) => !signed.has(file)) : undefined;
  if (added !== undefined) return `a file was not signed: ${added}`;
  return digestOfFiles(root, files) === digest ? undefined : "its files are not those that were signed";
}

/** What the key signs. The first line keeps a signature that was made for something else from being taken for this. */
function bytesOf({ publisher, key_id, files, digest }: Omit<PackageSignature, "signature">): Buffer {
  return Buffer.from(JSON.stringify(["odg-expert-signature-1", publisher, key_id, files, digest]));
}
