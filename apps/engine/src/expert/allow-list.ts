import { isAbsolute } from "node:path";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import { type ExpertPackage, findPackage } from "./package.ts";
import { PlacementError } from "./placement-error.ts";
import { type ExpertSpec, nameOf } from "./spec.ts";

/**
 * What may be registered while the engine runs: entries of ODG_EXPERTS, in which `*` stands for anything but `/`. An entry allows its own
 * placement only: `process:@acme/*` lets no code of `@acme` into the engine's process.
 */
export class AllowList {
  readonly #patterns: readonly RegExp[];

  constructor(entries: readonly string[]) {
    this.#patterns = entries.map((entry) => new RegExp(`^${entry.split("*").map(literal).join("[^/]*")}$`));
  }

  /**
   * The package of an entry, which is only looked for where it may be: the answer tells nobody what else there is.
   * @throws ConnectError POLICY_DENIED, EXPERT_UNAVAILABLE
   */
  find(spec: Exclude<ExpertSpec, { kind: "remote" }>): ExpertPackage {
    // Neither a relative path nor one with `..` names what the pattern seems to.
    if (/^\.|\/\.\.?(\/|$)/.test(spec.plugin)) throw denied(spec);
    this.#check(spec, nameOf(spec));
    try {
      const expert = findPackage(spec.plugin);
      // A link may lead from an allowed folder to anywhere.
      if (isAbsolute(spec.plugin)) this.#check(spec, nameOf(spec, expert.root));
      return expert;
    } catch (error) {
      if (!(error instanceof PlacementError)) throw error;
      throw reject(Reason.EXPERT_UNAVAILABLE, { message: error.message, field: "spec", cause: error });
    }
  }

  /** @throws ConnectError POLICY_DENIED */
  checkRemote(spec: ExpertSpec): void {
    this.#check(spec, nameOf(spec));
  }

  #check(spec: ExpertSpec, name: string): void {
    if (!this.#patterns.some((pattern) => pattern.test(name))) throw denied(spec);
  }
}

function denied(spec: ExpertSpec) {
  return reject(Reason.POLICY_DENIED, {
    message: `this engine does not let ${nameOf(spec)} be registered`,
    field: "spec",
    hint: "The operator names what may be registered in ODG_REGISTER_ALLOW.",
  });
}

/** A text as a pattern of nothing but itself. */
function literal(text: string): string {
  return text.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&");
}
