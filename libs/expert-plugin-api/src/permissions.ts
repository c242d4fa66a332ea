import * as z from "zod";

/** What an expert may see of datasets, each level with all before it. */
const DATASET_LEVELS = ["none", "metadata", "read"] as const;

/** What an expert may see of datasets: nothing; handles, contracts and documents; or also profiles and rows. */
export type DatasetLevel = (typeof DATASET_LEVELS)[number];

/** A name, perhaps with `*.` before it, or an address, and perhaps a port. */
const HOST = /^(?:(?:\*\.)?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const HOST_RULE =
  "a host is a name or an address, with a port where only that is meant: api.example.com:443, *.example.com, [::1]";

/**
 * `odg.permissions` of a package: what its expert asks to be allowed. What is left out is not asked for, and so not granted.
 */
export const permissionsSchema = z.strictObject({
  datasets: z.enum(DATASET_LEVELS).default("none"),
  /** Whether it may ask a model. */
  models: z.boolean().default(false),
  /** Hosts that it connects to by itself: `api.example.com`, `*.example.com`, `10.0.0.7:5432`, `[::1]:443`. With a port, only that one is meant. */
  hosts: z.array(z.string().min(1).max(261).regex(HOST, HOST_RULE)).max(100).default([]),
  /** Whether it starts processes of its own: those are held by no permission. */
  child_processes: z.boolean().default(false),
  /** Whether it loads native addons: their code is held by no permission. */
  addons: z.boolean().default(false),
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
    ["child_processes", wanted.child_processes && !granted.child_processes],
    ["addons", wanted.addons && !granted.addons],
    ["memory_mb", wanted.memory_mb > granted.memory_mb],
    ["time_s", wanted.time_s > granted.time_s],
  ];
  return wider.filter(([, more]) => more).map(([name]) => name);
}
