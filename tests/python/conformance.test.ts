import type { Expert } from "@odg/expert-plugin-api";
import { serveExpert } from "@odg/expert-plugin-api/serve";
import {
  type ConformanceCase,
  conformanceCases,
  listenTestHost,
  remoteTarget,
  type Sample,
} from "@odg/expert-plugin-api/testing";
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
const samplesOf = (...actions: string[]): Sample[] =>
  actions.map((action) => ({ action, input: { dataset: uri }, options: { tables: { [uri]: table } } }));

/** An expert that listens, and what it must do. */
interface Served {
  cases: ConformanceCase[];
  close(): Promise<void>;
}

/** Serves an expert by `start`, which is told the URL of its host. */
async function served(
  samples: Sample[],
  start: (host: string) => Promise<{ url: string; close(): Promise<unknown> }>,
): Promise<Served> {
  const listening = await listenTestHost();
  const expert = await start(listening.url);
  const target = remoteTarget({ url: expert.url, token: TOKEN }, listening.host);
  return {
    cases: conformanceCases(target, samples),
    async close() {
      await target.close();
      await expert.close();
      await listening.close();
    },
  };
}

async function inPython(program: string): Promise<Served> {
  const example = await preparedExample(program);
  return served(samplesOf("measure_texts"), async (host) => {
    const server = await startPython(program, example.folder, { host, token: TOKEN });
    const close = async () => {
      await server.stop();
      await example.remove();
    };
    return { url: `http://${server.address}`, close };
  });
}

async function inTypeScript(): Promise<Served> {
  // By its name, as an engine loads it: tests import no plugin.
  const name: string = "@odg/expert-schema";
  const { default: expert } = (await import(name)) as { default: Expert };
  const samples = samplesOf("analyze_schema", "infer_types", "suggest_normalization");
  return served(samples, (host) => serveExpert(expert, { host, token: TOKEN, threads: 1 }));
}

const experts: [string, Served][] = [
  ["TypeScript", await inTypeScript()],
  ...(python ? [["Python", await inPython(python)] as [string, Served]] : []),
];

describe.each(experts)("an expert in %s, over the wire", (_, { cases, close }) => {
  afterAll(close);
  for (const one of cases) test(one.name, one.run);
});
