import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { HostService } from "@odg/proto/odg/expert/v1/expert_pb";
import { inProcessTransport } from "@odg/rpc";
import type { OffloadPool } from "./offload-pool.ts";
import { HOST_TOKEN_HEADER } from "./protocol.ts";

/** HostService as an expert outside of the engine sees it: its workers run in its own pool, everything else goes to the engine. */
export function hostTransport(engine: Transport, pool: OffloadPool): Transport {
  const offload = HostService.method.offload;
  const here = inProcessTransport((router) =>
    router.rpc(offload, async ({ module, input }, { requestHeader, signal }) => {
      const data = input ? toJson(ValueSchema, input) : null;
      const token = requestHeader.get(HOST_TOKEN_HEADER) ?? "";
      const output = await pool.run({ module, input: data, token, signal });
      return { output: fromJson(ValueSchema, (output ?? null) as JsonValue) };
    }),
  );
  return {
    // By name: the expert may bring generated code of its own.
    unary: (method, ...call) =>
      (method.name === offload.name && method.parent.typeName === HostService.typeName ? here : engine).unary(
        method,
        ...call,
      ),
    stream: (method, ...call) => engine.stream(method, ...call),
  };
}
