import { PlacementError } from "./placement-error.ts";

/** One entry of ODG_EXPERTS. */
export type ExpertSpec =
  | { readonly kind: "module"; readonly plugin: string }
  | { readonly kind: "process"; readonly plugin: string; readonly instances: number }
  | { readonly kind: "remote"; readonly target: string };

/** Processes of one entry, at most. */
const MOST_INSTANCES = 64;

/**
 * Reads `package-or-folder`, `process:package-or-folder`, `process:package-or-folder*3` (three processes) or `remote:dns:///host:port`.
 *
 * @throws PlacementError that says what is wrong with it.
 */
export function parseSpec(text: string): ExpertSpec {
  const [, kind, rest = ""] = /^(process|remote):(.*)$/.exec(text) ?? [];
  if (kind === "remote") {
    if (!/^(dns|ipv4|ipv6|unix):\S+$/.test(rest))
      throw new PlacementError(`${text}: an address looks like remote:dns:///schema-expert:50051`);
    return { kind, target: rest };
  }
  if (kind !== "process") return { kind: "module", plugin: text };
  const [, plugin = "", count = "1"] = /^(.+?)(?:\*(\d+))?$/.exec(rest) ?? [];
  const instances = Number(count);
  if (plugin === "" || instances < 1 || instances > MOST_INSTANCES)
    throw new PlacementError(
      `${text}: it looks like process:@odg/expert-schema*2, with 1 to ${MOST_INSTANCES} processes`,
    );
  return { kind, plugin, instances };
}
