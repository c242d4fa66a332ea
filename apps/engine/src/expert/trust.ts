import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { permissionsSchema, widerPermissions } from "@odg/expert-plugin-api";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import type { ExpertRecord } from "../store/store.ts";

/**
 * Hash of the files of an installed package (SHA-256 over names and bytes, in the order of the names), its dependencies left out.
 * Empty where the folder does not lie under `node_modules`: somebody may be working in it.
 *
 * @param root Folder of the package, links resolved.
 */
export function digestOf(root: string): string {
  if (!root.split(sep).includes("node_modules")) return "";
  const hash = createHash("sha256");
  const files = globSync("**/*", { cwd: root, exclude: (name) => name === "node_modules" });
  for (const file of files.sort()) {
    const path = join(root, file);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/**
 * Holds an expert to what the engine took in before under its name.
 *
 * @param known The records of all experts, of earlier starts too.
 * @param allowWider Packages whose wider permissions an operator has allowed.
 * @throws ConnectError EXPERT_UNTRUSTED
 */
export function checkTrust(expert: ExpertRecord, known: readonly ExpertRecord[], allowWider: readonly string[]): void {
  const before = known.filter((one) => one.expertName === expert.expertName && one.placement !== "remote");
  if (expert.placement === "remote") return;
  const same = before.find(({ expertId }) => expertId === expert.expertId);
  if (same?.digest && expert.digest && same.digest !== expert.digest) {
    throw reject(Reason.EXPERT_UNTRUSTED, {
      message: `the files of ${expert.packageName}@${expert.version} are not those that this engine took in before`,
      subject: expert.packageName,
      hint: "Install the package that was there before, or publish the change under another version.",
    });
  }
  if (allowWider.includes(expert.packageName)) return;
  const wider = widerThan(expert, before);
  if (wider.length === 0) return;
  throw reject(Reason.EXPERT_UNTRUSTED, {
    message: `${expert.packageName}@${expert.version} asks for more than it was granted before: ${wider.join(", ")}`,
    subject: expert.packageName,
    hint: `Where that is wanted, start the engine once with ODG_ALLOW_WIDER=${expert.packageName}.`,
  });
}

/** What an expert asks for beyond each earlier grant; the least of these differences, empty where one grant covers all. */
function widerThan(expert: ExpertRecord, before: readonly ExpertRecord[]): string[] {
  const grants = before.filter(({ permissions }) => permissions !== "").map(permissionsOf);
  const differences = grants.map((granted) => widerPermissions(permissionsOf(expert), granted));
  return differences.sort((a, b) => a.length - b.length)[0] ?? [];
}

function permissionsOf({ permissions }: ExpertRecord) {
  return permissionsSchema.parse(JSON.parse(permissions));
}
