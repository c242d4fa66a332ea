import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Folder of the package whose expert does what its input says. */
export const PROBE_EXPERT = resolve(import.meta.dirname, "probe-expert");

/** How a further copy of the probe differs. */
export interface ProbeOptions {
  name?: string;
  version?: string;
  capability?: string;
  maxConcurrentTasks?: number;
}

/** Writes a further expert of the same actions to a folder of its own, as another team would have it; answers the folder. */
export function writeProbe({ version, ...probe }: ProbeOptions): string {
  const manifest = JSON.parse(readFileSync(join(PROBE_EXPERT, "package.json"), "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "odg-probe-"));
  cpSync(join(PROBE_EXPERT, "index.ts"), join(folder, "index.ts"));
  const own = { ...manifest, version: version ?? manifest.version, probe: { ...manifest.probe, ...probe } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(own));
  symlinkSync(resolve(import.meta.dirname, "../../../../node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Holds every task of the action `hold` that names it. */
export interface Gate {
  /** Tasks that have come to the gate, in their order. */
  readonly entered: readonly string[];
  /** Resolves once so many tasks have come. */
  arrivals(count: number): Promise<void>;
  open(): void;
}

// The expert is a package of its own: what it shares with the test hangs on the process.
const GATES = Symbol.for("odg.test.gates");
type Gates = Map<string, { entered: (taskId: string) => void; opened: Promise<void> }>;
const gates: Gates = new Map();
Object.defineProperty(globalThis, GATES, { value: gates, configurable: true });

/** Makes a closed gate under a name of its own. */
export function gate(name: string): Gate {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const entered: string[] = [];
  const waiting: (() => void)[] = [];
  gates.set(name, {
    opened,
    entered: (taskId) => {
      entered.push(taskId);
      for (const look of waiting) look();
    },
  });
  const arrivals = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => void (entered.length >= count && resolve());
      waiting.push(look);
      look();
    });
  return { entered, arrivals, open };
}
