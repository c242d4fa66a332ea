import { PlacementError } from "./placement-error.ts";

/** One entry of ODG_EXPERTS. */
export type ExpertSpec =
  | { readonly kind: "module"; readonly plugin: string }
  | { readonly kind: "process"; readonly plugin: string; readonly instances: number }
  | { readonly kind: "remote"; readonly target: string; readonly tls: boolean };

/** Processes of one entry, at most. */
const MOST_INSTANCES = 64;

/**
 * Reads `package-or-folder`, `process:package-or-folder`, `process:package-or-folder*3` (three processes), `remote:dns:///host:port` or
 * `remote+tls:dns:///host:port`.
 *
 * @throws PlacementError that says what is wrong with it.
 */
export function parseSpec(text: string): ExpertSpec {
  const [, kind, rest = ""] = /^(process|remote|remote\+tls):(.*)$/.exec(text) ?? [];
  if (kind === "remote" || kind === "remote+tls") {
    if (!/^(dns|ipv4|ipv6|unix):\S+$/.test(rest))
      throw new PlacementError(`${text}: an address looks like ${kind}:dns:///schema-expert:50051`);
    return { kind: "remote", target: rest, tls: kind === "remote+tls" };
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

/**
 * The entry without the number of its processes, as an allow-list names it.
 *
 * @param plugin What to write for the package; what the entry says where absent.
 */
export function nameOf(spec: ExpertSpec, plugin = spec.kind === "remote" ? "" : spec.plugin): string {
  if (spec.kind === "remote") return `${spec.tls ? "remote+tls" : "remote"}:${spec.target}`;
  return spec.kind === "process" ? `process:${plugin}` : plugin;
}

/** Whether what is sent to an address stays on this machine: a Unix socket, `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(target: string): boolean {
  if (target.startsWith("unix:")) return true;
  // `dns:///a:1`, `dns:a:1`, `dns://resolver/a:1`, `ipv4:1.2.3.4:5,1.2.3.5:5`, `ipv6:[::1]:5`
  const places = target.replace(/^\w+:(?:\/\/[^/]*\/)?/, "").split(",");
  return places.every((place) => {
    const host = place.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
  });
}
