import { readFileSync, realpathSync } from "node:fs";
import { KeyError, type PublisherKey, publicKeyOf, publisherSchema } from "@odg/expert-plugin-api/package";
import { ConfigError, type EngineConfig } from "../config.ts";
import type { ExpertsOptions } from "./experts.ts";
import type { TrustPolicy } from "./trust.ts";

/** Whom the settings say to trust. @throws ConfigError */
export function trustPolicyOf(config: EngineConfig): TrustPolicy {
  const { allowWider, trustedKeys = [], requireSignatures = false, ownFolders = [] } = config;
  return {
    allowWider,
    trustedKeys: trustedKeys.map(publisherKeyOf),
    requireSignatures,
    ownFolders: ownFolders.map(realFolder),
  };
}

/** How the settings say to place experts. @throws ConfigError */
export function placementOptionsOf(config: EngineConfig): Omit<ExpertsOptions, "host" | "registry" | "logger"> {
  const { hostListen, hostTls, remoteToken, remoteTokenInPlain, remoteTls = {}, registerAllow, quarantineMs } = config;
  const { ca, cert, key } = remoteTls;
  return {
    ...(hostListen ? { hostListen } : {}),
    ...(hostTls
      ? { hostTls: { cert: read("ODG_HOST_CERT", hostTls.cert), key: read("ODG_HOST_KEY", hostTls.key) } }
      : {}),
    ...(remoteToken ? { remoteToken } : {}),
    ...(remoteTokenInPlain ? { remoteTokenInPlain } : {}),
    remoteTls: {
      ...(ca ? { ca: read("ODG_REMOTE_CA", ca) } : {}),
      ...(cert && key ? { cert: read("ODG_REMOTE_CERT", cert), key: read("ODG_REMOTE_KEY", key) } : {}),
    },
    ...(registerAllow ? { registerAllow } : {}),
    ...(quarantineMs === undefined ? {} : { coolDownMs: quarantineMs }),
  };
}

/** `acme=/etc/odg/acme.pem`, or the PEM itself, in which line breaks may be written as `\n`. */
function publisherKeyOf(entry: string): PublisherKey {
  const at = entry.indexOf("=");
  const publisher = publisherSchema.safeParse(entry.slice(0, Math.max(at, 0)));
  if (!publisher.success)
    throw new ConfigError(
      "ODG_TRUSTED_KEYS: an entry looks like acme=/etc/odg/acme.pem, with the publisher's name first",
    );
  const given = entry.slice(at + 1);
  const pem = given.includes("-----BEGIN")
    ? given.replaceAll("\\n", "\n")
    : read("ODG_TRUSTED_KEYS", given).toString("utf8");
  try {
    return { publisher: publisher.data, key: publicKeyOf(pem) };
  } catch (error) {
    if (error instanceof KeyError) throw new ConfigError(`ODG_TRUSTED_KEYS: ${publisher.data}: ${error.message}`);
    throw error;
  }
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`${setting}: the file cannot be read: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    });
  }
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    throw new ConfigError(`ODG_OWN_FOLDERS: a folder cannot be read: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    });
  }
}
