// For whoever signs packages of experts, and for engines that look at signatures.

export { digestOfFiles, isPublishedCopy, packageFiles, SIGNATURE_FILE } from "./package-files.ts";
export {
  KeyError,
  keyIdOf,
  type PackageSignature,
  type PublisherKey,
  privateKeyOf,
  publicKeyOf,
  publisherSchema,
  type SignatureVerdict,
  signatureSchema,
  signPackage,
  verifyPackage,
} from "./package-signature.ts";
