import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import type { Expert } from "../expert.ts";
import { PROTOCOL_VERSION } from "../protocol.ts";
import { type ConformanceCase, conformanceCases } from "./conformance.ts";
import { readSamples, SAMPLES_FILE } from "./samples.ts";
import { type ClosableTarget, moduleTarget, processTarget, remoteTarget } from "./target.ts";
import { listenTestHost } from "./test-host.ts";

/** Which expert to test, and where it runs. */
export interface PackageTest {
  /** Folder of the expert's package, or the URL at which somebody serves it: `http://127.0.0.1:50051`. */
  subject: string;
  /** For a folder: in this process (default), or in one of its own. */
  placement?: "module" | "process";
  /** File of the samples; {@link SAMPLES_FILE} in the folder where absent. */
  samples?: string;
  /** For a URL: what the expert wants as its bearer token. */
  token?: string;
  /** For a URL: port on the loopback interface at which the expert finds its host; it must have been told. */
  hostPort?: number;
}

/** How one case ended. */
export interface CaseOutcome {
  name: string;
  /** What does not hold; undefined where the expert passed. */
  complaint?: string;
  /** Milliseconds. */
  took: number;
}

/** A package that is no expert's; the message says why. */
export class NoExpertError extends Error {
  override readonly name = "NoExpertError";
}

/** Port of the host where nobody names one. */
export const DEFAULT_HOST_PORT = 50_052;

/**
 * Runs the conformance kit on a package or on a served expert, one case after the other.
 *
 * @throws NoExpertError, SamplesError; Error where the expert does not start
 */
export async function* testPackage(test: PackageTest): AsyncGenerator<CaseOutcome, void, undefined> {
  const remote = /^(https?:|unix:)/.test(test.subject);
  const samples = readSamples(test.samples ?? join(remote ? "." : test.subject, SAMPLES_FILE));
  const target = await (remote ? reach(test) : place(test));
  try {
    for (const one of [...(remote ? [] : packageCases(test.subject, target)), ...conformanceCases(target, samples)]) {
      yield await outcomeOf(one);
    }
  } finally {
    await target.close();
  }
}

async function outcomeOf({ name, run }: ConformanceCase): Promise<CaseOutcome> {
  const began = performance.now();
  try {
    await run();
    return { name, took: performance.now() - began };
  } catch (error) {
    const complaint = error instanceof Error ? error.message : String(error);
    return { name, complaint, took: performance.now() - began };
  }
}

async function reach({ subject, token, hostPort = DEFAULT_HOST_PORT }: PackageTest): Promise<ClosableTarget> {
  const listening = await listenTestHost(hostPort);
  const target = remoteTarget({ url: subject, ...(token === undefined ? {} : { token }) }, listening.host);
  const close = async () => {
    await target.close();
    await listening.close();
  };
  return { ...target, close };
}

async function place({ subject, placement = "module" }: PackageTest): Promise<ClosableTarget> {
  const { entry } = packageOf(subject);
  if (placement === "process") return processTarget(entry);
  const loaded = (await import(entry.href)) as { default?: Partial<Expert> };
  if (typeof loaded.default?.routes !== "function") {
    throw new NoExpertError(`${subject} has no expert as its default export`);
  }
  return { ...moduleTarget(loaded.default as Expert), close: async () => undefined };
}

const manifestSchema = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  odg: z.object({ role: z.literal("expert"), protocol: z.literal(PROTOCOL_VERSION) }),
});

function packageOf(folder: string): { version: string; entry: URL } {
  const root = resolve(folder);
  let manifest: z.infer<typeof manifestSchema>;
  try {
    manifest = manifestSchema.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : "it cannot be read";
    throw new NoExpertError(`${join(folder, "package.json")} is no expert's: ${why}`, { cause });
  }
  try {
    return { version: manifest.version, entry: entryOf(root, manifest.name) };
  } catch (cause) {
    throw new NoExpertError(`${folder}: its "main" or "exports" lead to no file`, { cause });
  }
}

/** By its own name, as others import it; by "main" where it exports nothing by name. */
function entryOf(root: string, name: string): URL {
  const require = createRequire(join(root, "package.json"));
  const { exports } = require("./package.json") as { exports?: unknown };
  return pathToFileURL(require.resolve(exports === undefined ? root : name));
}

function packageCases(folder: string, { client }: ClosableTarget): ConformanceCase[] {
  return [
    {
      name: "package.json and Describe name the same version",
      async run() {
        const { version } = packageOf(folder);
        const described = (await client.describe({})).version;
        if (version !== described) throw new Error(`package.json says ${version}, Describe ${described}`);
      },
    },
  ];
}
