import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { sep } from "node:path";
import { type Permissions, permissionsSchema, widerPermissions } from "@odg/expert-plugin-api";
import { isPublishedCopy, type PublisherKey, verifyPackage } from "@odg/expert-plugin-api/package";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import type { ExpertRecord, Store } from "../store/store.ts";
import { type ExpertPackage, packageRootOf } from "./package.ts";

/** Whom an operator trusts. */
export interface TrustPolicy {
  /** Packages that may ask for more than they were granted before. */
  readonly allowWider: readonly string[];
  /** Keys of publishers; a signature by another key is worth as much as none. */
  readonly trustedKeys: readonly PublisherKey[];
  /** Whether a package without a signature of a trusted publisher is refused. */
  readonly requireSignatures: boolean;
  /** Folders under which a package may call itself `@odg/…`, beside those that the engine itself finds by that name. */
  readonly ownFolders: readonly string[];
}

/** What a package says to be, before any of its code has run. */
type Asked = Pick<
  ExpertRecord,
  "packageName" | "version" | "expertId" | "expertName" | "permissions" | "digest" | "publisher"
>;

/** A package that waits for an approval. */
export interface PendingPackage {
  readonly packageName: string;
  readonly version: string;
  /** In which permissions it asks for more; also `publisher`, where it is not signed by the one that signed it before. */
  readonly wider: readonly string[];
  readonly permissions: Permissions | undefined;
  readonly digest: string;
}

/** The scope of the project's own packages, and the publisher that may sign others of it. */
const OWN_SCOPE = "@odg/";
const OWN_PUBLISHER = "odg";

/** Names of experts that belong to the packages of {@link OWN_SCOPE}: those of the decision record. */
const BUILT_IN: ReadonlySet<string> = new Set(
  ["Schema", "Quality", "Lineage", "Performance", "Security", "Compliance", "Cost"].map((name) => `${name}Expert`),
);

/** Holds the packages of experts to their signatures, their names, and what the engine took in before. */
export class Trust {
  readonly #store: Store;
  readonly #policy: TrustPolicy;

  constructor(store: Store, policy: Partial<TrustPolicy> = {}) {
    this.#store = store;
    this.#policy = { allowWider: [], trustedKeys: [], requireSignatures: false, ownFolders: [], ...policy };
  }

  /**
   * Looks at a package before any of its code runs. Answers the trusted publisher that signed it; empty where there is none.
   *
   * @throws ConnectError EXPERT_UNTRUSTED, EXPERT_CHANGED, EXPERT_APPROVAL_REQUIRED
   */
  async admit(expert: ExpertPackage): Promise<string> {
    const publisher = this.#publisherOf(expert);
    if (expert.name.startsWith(OWN_SCOPE) && publisher !== OWN_PUBLISHER && !this.#isOwn(expert))
      throw untrusted(
        expert.name,
        `${expert.name} is a name of the engine's own packages, and ${expert.plugin} is none`,
      );
    await this.#hold({
      expertId: "",
      expertName: "",
      packageName: expert.name,
      version: expert.version,
      permissions: JSON.stringify(expert.permissions),
      digest: expert.digest,
      publisher,
    });
    return publisher;
  }

  /**
   * Looks at an expert once it has said its name.
   * @throws ConnectError as {@link admit}
   */
  async check(expert: ExpertRecord): Promise<void> {
    if (expert.placement === "remote") return;
    if (!expert.packageName.startsWith(OWN_SCOPE)) refuseBuiltIn(expert.expertName, expert.packageName);
    await this.#hold(expert);
  }

  /** Packages that wait for an approval, by name. */
  async pending(): Promise<PendingPackage[]> {
    const known = await this.#store.listExperts();
    return known
      .filter(({ approval }) => approval === "pending")
      .map((record) => ({
        packageName: record.packageName,
        version: record.version,
        wider: widerThan(record, takenIn(known, record)),
        permissions: permissionsOf(record),
        digest: record.digest,
      }));
  }

  /**
   * Grants what a package waits for.
   *
   * @param digest What its files must hash to; empty for whatever is pending.
   * @throws ConnectError NOT_FOUND, STATE_INVALID
   */
  async approve(packageName: string, version: string, digest: string): Promise<void> {
    const record = (await this.#store.listExperts()).find(
      ({ expertId }) => expertId === idOf({ packageName, version }),
    );
    if (!record)
      throw reject(Reason.NOT_FOUND, {
        message: `no approval of ${packageName}@${version} is pending`,
        field: "package_name",
      });
    if (digest !== "" && digest !== record.digest)
      throw reject(Reason.STATE_INVALID, {
        message: `the pending ${packageName}@${version} has another digest`,
        field: "digest",
      });
    await this.#store.putExpert({ ...record, approval: "approved" });
  }

  #publisherOf(expert: ExpertPackage): string {
    const verdict = verifyPackage(expert.root, this.#policy.trustedKeys, isPublishedCopy(expert.root));
    if (verdict.kind === "trusted") return verdict.publisher;
    if (verdict.kind === "bad")
      throw untrusted(expert.name, `the signature of ${expert.name} does not hold: ${verdict.why}`);
    if (!this.#policy.requireSignatures) return "";
    const by = verdict.kind === "unknown" ? `, only by ${verdict.publisher}` : "";
    throw untrusted(
      expert.name,
      `${expert.name}@${expert.version} is not signed by a publisher that this engine trusts${by}`,
    );
  }

  /** Whether the engine itself finds that very folder by the name, or the operator says that what lies there is its own. */
  #isOwn({ name, root }: ExpertPackage): boolean {
    if (this.#policy.ownFolders.some((folder) => root === folder || root.startsWith(folder + sep))) return true;
    try {
      return packageRootOf(realpathSync(createRequire(import.meta.url).resolve(name))) === root;
    } catch {
      return false; // The engine has no package of that name.
    }
  }

  /** Compares with what was taken in before under the same name, and keeps what waits for an approval. */
  async #hold(asked: Asked): Promise<void> {
    const known = await this.#store.listExperts();
    const before = takenIn(known, asked);
    const changed = before.some(
      (one) =>
        (one.expertId === asked.expertId || (one.packageName === asked.packageName && one.version === asked.version)) &&
        one.digest !== "" &&
        asked.digest !== "" &&
        one.digest !== asked.digest,
    );
    if (changed)
      throw reject(Reason.EXPERT_CHANGED, {
        message: `the files of ${asked.packageName}@${asked.version} are not those that this engine took in before`,
        subject: asked.packageName,
      });
    if (this.#policy.allowWider.includes(asked.packageName)) return;
    const wider = widerThan(asked, before);
    if (wider.length === 0) return;
    await this.#store.putExpert(pendingRecord(asked));
    throw reject(Reason.EXPERT_APPROVAL_REQUIRED, {
      message: `${asked.packageName}@${asked.version} asks for more than it was granted before: ${wider.join(", ")}`,
      subject: asked.packageName,
      hint: `Where that is wanted: odg expert approve ${asked.packageName} ${asked.version}, or start the engine once with ODG_ALLOW_WIDER=${asked.packageName}.`,
    });
  }
}

/**
 * Keeps the names of the built-in experts for those.
 * @throws ConnectError EXPERT_UNTRUSTED
 */
export function refuseBuiltIn(expertName: string, who: string): void {
  if (BUILT_IN.has(expertName))
    throw untrusted(who, `${who} says that it is ${expertName}, which is a built-in expert`);
}

function untrusted(subject: string, message: string) {
  return reject(Reason.EXPERT_UNTRUSTED, { message, subject });
}

const idOf = ({ packageName, version }: { packageName: string; version: string }) => `${packageName}@${version}`;

/** What the engine has granted to experts of the same package or name. */
function takenIn(
  known: readonly ExpertRecord[],
  { packageName, expertName }: Pick<Asked, "packageName" | "expertName">,
) {
  return known.filter(
    (one) =>
      one.placement !== "remote" &&
      one.approval !== "pending" &&
      (one.packageName === packageName || (expertName !== "" && one.expertName === expertName)),
  );
}

/** What an expert asks for beyond each earlier grant; the least of these differences, empty where one grant covers all. */
function widerThan(asked: Pick<Asked, "permissions" | "publisher">, before: readonly ExpertRecord[]): string[] {
  const wanted = permissionsOf(asked);
  const differences = before.flatMap((grant) => {
    const granted = permissionsOf(grant);
    if (!wanted || !granted) return [];
    const signedByOther = grant.publisher !== "" && grant.publisher !== asked.publisher;
    return [[...widerPermissions(wanted, granted), ...(signedByOther ? ["publisher"] : [])]];
  });
  return differences.sort((a, b) => a.length - b.length)[0] ?? [];
}

/** Undefined where nothing is known of them, as of an expert that an older engine took in. */
function permissionsOf({ permissions }: Pick<Asked, "permissions">): Permissions | undefined {
  return permissions === "" ? undefined : permissionsSchema.safeParse(JSON.parse(permissions)).data;
}

function pendingRecord({ packageName, version, permissions, digest, publisher }: Asked): ExpertRecord {
  return {
    expertId: idOf({ packageName, version }),
    expertName: packageName,
    version,
    capabilities: [],
    modelBackend: "",
    maxConcurrentTasks: 0,
    averageLatencyMs: 0,
    status: "offline",
    placement: "process",
    packageName,
    permissions,
    digest,
    publisher,
    approval: "pending",
  };
}
