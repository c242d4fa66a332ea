import { toBinary, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient } from "@connectrpc/connect";
import { FailureSchema } from "@odg/proto/odg/error/v1/error_pb";
import { HostService } from "@odg/proto/odg/expert/v1/expert_pb";
import { connectTransport, failureOf } from "@odg/rpc";
import { batchesOf } from "./dataset.ts";
import type { OffloadJob, OffloadOutcome } from "./offload-pool.ts";
import { HOST_TOKEN_HEADER } from "./protocol.ts";
import type { WorkerIo } from "./worker.ts";

/** Entry of every thread of an {@link OffloadPool}: runs one worker module, whose data come from HostService. */
export default async function work({ module, input, hostUrl, token, port }: OffloadJob): Promise<OffloadOutcome> {
  const stop = new AbortController();
  port.once("message", () => stop.abort());
  const transport = connectTransport(hostUrl);
  const io = hostIo(createClient(HostService, transport), token, stop.signal);
  try {
    const loaded: { default?: unknown } = await import(module);
    if (typeof loaded.default !== "function")
      throw new TypeError("a worker module must export a function as its default");
    return { ok: true, value: await loaded.default(input, io) };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { ok: false, failure: toBinary(FailureSchema, failureOf(error)) };
  } finally {
    transport.close();
    port.close();
  }
}

/** Does nothing: the pool starts a thread for it. */
export function wake(): OffloadOutcome {
  return { ok: true, value: undefined };
}

function hostIo(
  host: ReturnType<typeof createClient<typeof HostService>>,
  token: string,
  signal: AbortSignal,
): WorkerIo {
  const headers = new Headers({ [HOST_TOKEN_HEADER]: token });
  return {
    signal,
    async *read(uri, { columns = [], sample = 0 } = {}) {
      // Leaving the loop early must end the stream, so that the engine does not read on for nobody.
      const left = new AbortController();
      try {
        const both = AbortSignal.any([signal, left.signal]);
        yield* batchesOf(host.readDataset({ uri, columns, sample }, { headers, signal: both }));
      } finally {
        left.abort();
      }
    },
    async distinct(uri, column, { limit = 1000 } = {}) {
      const { values } = await host.readDistinct({ uri, column, limit }, { headers, signal });
      return values.map(({ value, count }) => ({
        value: value ? toJson(ValueSchema, value) : null,
        count: Number(count),
      }));
    },
  };
}
