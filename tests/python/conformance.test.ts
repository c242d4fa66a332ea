import type { ConformanceCase, Sample } from "@odg/expert-plugin-api/testing";
import { conformanceCases, listenTestHost, remoteTarget } from "@odg/expert-plugin-api/testing";
import { afterAll, describe, test } from "vitest";
import { toolPath } from "../../tools/services/endpoints.ts";
import { preparedExample, startPython } from "./python-expert.ts";

const python = toolPath("python");
const TOKEN = "a token of the test";
const uri = "mem://people.parquet";
const values = ["Lisboa", "lisboa ", "Porto", "S\ufffdo Paulo", "e\u0301vora", "\u00c3\u00a9vora", "", null];
const table = {
  columns: { id: { type: "BIGINT", values: [...values.keys()] }, city: { type: "VARCHAR", values } },
};
const samples: Sample[] = [{ action: "measure_texts", input: { dataset: uri }, options: { tables: { [uri]: table } } }];

describe.skipIf(!python)("the Python expert, over the wire", async () => {
  const { cases, close } = python ? await served(python) : { cases: [], close: async () => undefined };
  afterAll(close);
  for (const one of cases) test(one.name, one.run);
});

async function served(program: string): Promise<{ cases: ConformanceCase[]; close(): Promise<void> }> {
  const example = await preparedExample(program);
  const listening = await listenTestHost();
  const server = await startPython(program, example.folder, { host: listening.url, token: TOKEN });
  const target = remoteTarget({ url: `http://${server.address}`, token: TOKEN }, listening.host);
  return {
    cases: conformanceCases(target, samples),
    async close() {
      await target.close();
      await server.stop();
      await listening.close();
      await example.remove();
    },
  };
}
