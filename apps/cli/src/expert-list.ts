import { toJson } from "@bufbuild/protobuf";
import { ExpertStatus, ListExpertsResponseSchema } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printJson, table } from "./output.ts";

/** Lists the experts of an engine. Answers the exit code. */
export async function expertList(flags: EngineFlags & { capability?: string }): Promise<number> {
  const { client, close } = await connect(flags);
  try {
    const response = await client.experts.listExperts({
      capability: flags.capability ?? "",
      includePending: !flags.capability,
    });
    if (flags.json) {
      printJson(toJson(ListExpertsResponseSchema, response));
      return EXIT.ok;
    }
    const rows = response.experts.map((expert) => [
      expert.expertId,
      ExpertStatus[expert.status]?.toLowerCase() ?? "",
      `${expert.currentLoad}/${expert.maxConcurrentTasks}`,
      expert.averageLatencyMs ? `${Math.round(expert.averageLatencyMs)} ms` : "–",
      expert.placement,
      expert.modelBackend || "–",
      expert.actions.map(({ name }) => name).join(", "),
    ]);
    printData(table([["EXPERT", "STATUS", "LOAD", "LATENCY", "PLACEMENT", "MODEL", "ACTIONS"], ...rows]));
    for (const { packageName, version, wider } of response.pending)
      printData(
        `${packageName}@${version} waits for an approval of ${wider.join(", ")}: odg expert approve ${packageName} ${version}`,
      );
    return EXIT.ok;
  } finally {
    await close();
  }
}
