import * as z from "zod";

/** What an expert may see of datasets, each level with all before it. */
const DATASET_LEVELS = ["none", "metadata", "read"] as const;

/** What an expert may see of datasets: nothing; handles, contracts and documents; or also profiles and rows. */
export type DatasetLevel = (typeof DATASET_LEVELS)[number];

/**
 * `odg.permissions` of a package: what its expert asks to be allowed. What is left out is not asked for, and so not granted.
 */
export const permissionsSchema = z.strictObject({
  datasets: z.enum(DATASET_LEVELS).default("none"),
  /** Whether it may ask a model. */
  models: z.boolean().default(false),
  /** Hosts that it connects to by itself. */
  hosts: z.array(z.string().min(1).max(253)).max(100).default([]),
  /** Heap of its process, in MiB. */
  memory_mb: z.number().int().min(64).max(65_536).default(512),
  /** Seconds that one attempt may take. */
  time_s: z.number().int().min(1).max(86_400).default(600),
});

/** What an expert is allowed. */
export type Permissions = z.output<typeof permissionsSchema>;

/** Whether a level includes another. */
export function includesLevel(granted: DatasetLevel, wanted: DatasetLevel): boolean {
  return DATASET_LEVELS.indexOf(granted) >= DATASET_LEVELS.indexOf(wanted);
}

/** Names of the permissions in which `wanted` asks for more than `granted`, in the order of the manifest. */
export function widerPermissions(wanted: Permissions, granted: Permissions): string[] {
  const wider: [string, boolean][] = [
    ["datasets", !includesLevel(granted.datasets, wanted.datasets)],
    ["models", wanted.models && !granted.models],
    ["hosts", wanted.hosts.some((host) => !granted.hosts.includes(host))],
    ["memory_mb", wanted.memory_mb > granted.memory_mb],
    ["time_s", wanted.time_s > granted.time_s],
  ];
  return wider.filter(([, more]) => more).map(([name]) => name);
}
