import { toJson } from "@bufbuild/protobuf";
import {
  ApproveExpertResponseSchema,
  type ExpertRegistration,
  ExpertStatus,
  RegisterExpertResponseSchema,
  RestartExpertResponseSchema,
} from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printJson } from "./output.ts";

/** Places an expert in a running engine. Answers the exit code. */
export async function expertRegister(spec: string, flags: EngineFlags): Promise<number> {
  const { client, close } = await connect(flags);
  try {
    const response = await client.experts.registerExpert({ spec });
    if (flags.json) printJson(toJson(RegisterExpertResponseSchema, response));
    else printData(shown(response.experts) || "it does not answer yet; it is registered once it does");
    return EXIT.ok;
  } finally {
    await close();
  }
}

/** Grants what a package was refused for. Answers the exit code. */
export async function expertApprove(
  packageName: string,
  version: string,
  flags: EngineFlags & { digest?: string },
): Promise<number> {
  const { client, close } = await connect(flags);
  try {
    const response = await client.experts.approveExpert({ packageName, version, digest: flags.digest ?? "" });
    if (flags.json) printJson(toJson(ApproveExpertResponseSchema, response));
    else printData(shown(response.experts) || `${packageName}@${version} is approved, and may be registered`);
    return EXIT.ok;
  } finally {
    await close();
  }
}

/** Starts the quarantined processes of an expert. Answers the exit code. */
export async function expertRestart(expertId: string, flags: EngineFlags): Promise<number> {
  const { client, close } = await connect(flags);
  try {
    const response = await client.experts.restartExpert({ expertId });
    if (flags.json) printJson(toJson(RestartExpertResponseSchema, response));
    else printData(shown(response.expert ? [response.expert] : []));
    return EXIT.ok;
  } finally {
    await close();
  }
}

function shown(experts: readonly ExpertRegistration[]): string {
  return experts
    .map(({ expertId, status, placement }) => `${expertId} ${ExpertStatus[status]?.toLowerCase()} (${placement})`)
    .join("\n");
}
