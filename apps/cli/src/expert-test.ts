import { NoExpertError, printOutcomes, SamplesError, testPackage } from "@odg/expert-plugin-api/testing";
import { printData } from "./output.ts";
import { UsageError } from "./usage-error.ts";

interface TestFlags {
  placement: string;
  samples?: string;
  token?: string;
  hostPort: string;
}

/** Runs the conformance kit on an expert, one line for each case. Answers the exit code. */
export async function expertTest(subject: string, flags: TestFlags): Promise<number> {
  const { placement, samples, token } = flags;
  if (placement !== "module" && placement !== "process") throw new UsageError("--placement is module or process");
  const hostPort = Number(flags.hostPort);
  if (!Number.isInteger(hostPort) || hostPort < 1 || hostPort > 65_535) throw new UsageError("--host-port is no port");
  const outcomes = testPackage({
    subject,
    placement,
    hostPort,
    ...(samples ? { samples } : {}),
    ...(token ? { token } : {}),
  });
  try {
    return await printOutcomes(outcomes, printData);
  } catch (error) {
    if (error instanceof NoExpertError || error instanceof SamplesError) throw new UsageError(error.message);
    throw error;
  }
}
