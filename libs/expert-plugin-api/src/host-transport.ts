import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { HostService } from "@odg/proto/odg/expert/v1/expert_pb";
import { type ClosableTransport, connectTransport, inProcessTransport, reject } from "@odg/rpc";
import type { OffloadPool } from "./offload-pool.ts";
import { HOST_TOKEN_HEADER } from "./protocol.ts";

/** The engines of an expert by their names (`ODG_HOST_NAME` of each), or the one that there is. */
export type HostUrls = string | Readonly<Record<string, string>>;

/**
 * The engines that an expert may ask back: those that its operator has named, and no other. Which one it is says the token of the attempt,
 * `<name of the engine>.<secret>`: an expert asks whoever gave it the task.
 */
export class Hosts {
  readonly #urls: HostUrls;
  readonly #open = new Map<string, ClosableTransport>();

  constructor(urls: HostUrls) {
    this.#urls = urls;
  }

  /** @throws ConnectError UNAUTHENTICATED where no engine of that name is known */
  urlFor(token: string): string {
    if (typeof this.#urls === "string") return this.#urls;
    const [name = ""] = token.split(".", 1);
    const url = Object.hasOwn(this.#urls, name) ? this.#urls[name] : undefined;
    if (url !== undefined) return url;
    throw reject(Reason.UNAUTHENTICATED, {
      message: "the task comes from an engine that this expert does not know",
      hint: "Name it in `host` of serveExpert by the engine's ODG_HOST_NAME.",
    });
  }

  transportFor(token: string): Transport {
    const url = this.urlFor(token);
    const transport = this.#open.get(url) ?? connectTransport(url);
    this.#open.set(url, transport);
    return transport;
  }

  close(): void {
    for (const transport of this.#open.values()) transport.close();
  }
}

/** HostService as an expert outside of the engine sees it: its workers run in its own pool, everything else goes to its engine. */
export function hostTransport(hosts: Hosts, pool: OffloadPool): Transport {
  const offload = HostService.method.offload;
  const here = inProcessTransport((router) =>
    router.rpc(offload, async ({ module, input }, { requestHeader, signal }) => {
      const data = input ? toJson(ValueSchema, input) : null;
      const token = requestHeader.get(HOST_TOKEN_HEADER) ?? "";
      const output = await pool.run({ module, input: data, token, hostUrl: hosts.urlFor(token), signal });
      return { output: fromJson(ValueSchema, (output ?? null) as JsonValue) };
    }),
  );
  const engineOf = (header: ConstructorParameters<typeof Headers>[0]) =>
    hosts.transportFor(new Headers(header).get(HOST_TOKEN_HEADER) ?? "");
  return {
    // By name: the expert may bring generated code of its own.
    unary: async (method, signal, timeoutMs, header, ...call) =>
      (method.name === offload.name && method.parent.typeName === HostService.typeName ? here : engineOf(header)).unary(
        method,
        signal,
        timeoutMs,
        header,
        ...call,
      ),
    stream: async (method, signal, timeoutMs, header, ...call) =>
      engineOf(header).stream(method, signal, timeoutMs, header, ...call),
  };
}
