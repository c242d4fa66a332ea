import { afterAll, describe, test } from "vitest";
import { serveExpert } from "../serve.ts";
import { conformanceCases, type Sample } from "./conformance.ts";
import { rowCounter } from "./example-expert.ts";
import { type ClosableTarget, moduleTarget, processTarget, remoteTarget } from "./target.ts";
import { listenTestHost } from "./test-host.ts";

const samples: Sample[] = [
  {
    action: "count_rows",
    input: { dataset: "mem://numbers.parquet" },
    options: { tables: { "mem://numbers.parquet": { columns: { a: { type: "BIGINT", values: [1, 2, 3] } } } } },
  },
];

async function served(): Promise<ClosableTarget> {
  const listening = await listenTestHost();
  const server = await serveExpert(rowCounter, { host: listening.url, token: "secret", threads: 1 });
  const target = remoteTarget({ url: server.url, token: "secret" }, listening.host);
  return {
    ...target,
    async close() {
      await target.close();
      await server.close();
      await listening.close();
    },
  };
}

const targets: [string, ClosableTarget][] = [
  ["module", { ...moduleTarget(rowCounter), close: async () => undefined }],
  ["process", await processTarget(new URL("./example-main.ts", import.meta.url))],
  ["remote", await served()],
];

describe.each(targets)("an expert placed as %s", (_, target) => {
  afterAll(() => target.close());
  for (const one of conformanceCases(target, samples)) test(one.name, one.run);
});
