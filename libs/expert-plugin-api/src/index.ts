// For authors of experts.

export type {
  ColumnProfile,
  Dataset as DatasetInfo,
  DatasetProfile,
  Document,
} from "@odg/proto/odg/catalog/v1/dataset_pb";
// For engines and servers that host experts.
export { Channel } from "./channel.ts";
export type { Dataset, Datasets } from "./dataset.ts";
export {
  type ActionContext,
  type ActionDefinition,
  action,
  defineExpert,
  type Expert,
  type ExpertDefinition,
  type KnowledgePassage,
  type SharedContext,
  type SharedValue,
} from "./expert.ts";
export type { EvidenceInit, FindingInit, SeverityName } from "./finding.ts";
export {
  type DatasetLevel,
  includesLevel,
  type Permissions,
  permissionsSchema,
  widerPermissions,
} from "./permissions.ts";
export { HOST_TOKEN_HEADER, PROTOCOL_VERSION } from "./protocol.ts";
export { type ExpertRoutes, expertRoutes } from "./routes.ts";
export type { Batch, DistinctValue, ReadOptions, WorkerFunction, WorkerIo } from "./worker.ts";
