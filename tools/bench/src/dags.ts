/** A task of a benchmark: it does nothing, so that only what is around it is measured. */
export interface BenchTask {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/** A DAG that every subject runs, and how many runs of it at once. */
export interface Dag {
  readonly name: string;
  readonly tasks: readonly BenchTask[];
  readonly concurrent: number;
}

const LAYERS = 50;
const WIDTH = 20;
const SEED = 1;

function idOf(number: number): string {
  return `t${number}`;
}

function chain(length: number): Dag {
  const tasks = Array.from({ length }, (_, i) => ({ id: idOf(i), dependsOn: i === 0 ? [] : [idOf(i - 1)] }));
  return { name: `chain ${length.toLocaleString("en")}`, tasks, concurrent: 1 };
}

function fan(width: number): Dag {
  const middle = Array.from({ length: width }, (_, i) => ({ id: idOf(i), dependsOn: ["first"] }));
  const tasks = [{ id: "first", dependsOn: [] }, ...middle, { id: "last", dependsOn: middle.map(({ id }) => id) }];
  return { name: `1 → ${width.toLocaleString("en")} → 1`, tasks, concurrent: 1 };
}

/** Each task depends on three of the layer before it, chosen by a fixed seed. */
function layers(): Dag {
  const random = seeded(SEED);
  const tasks = Array.from({ length: LAYERS * WIDTH }, (_, i) => {
    const before = (Math.floor(i / WIDTH) - 1) * WIDTH;
    const chosen = new Set<string>();
    while (before >= 0 && chosen.size < 3) chosen.add(idOf(before + Math.floor(random() * WIDTH)));
    return { id: idOf(i), dependsOn: [...chosen] };
  });
  return { name: `${LAYERS} × ${WIDTH} layers, 3 deps`, tasks, concurrent: 1 };
}

/** The shape of the template onboard_dataset. */
function onboarding(concurrent: number): Dag {
  const tasks = [
    { id: "schema_analysis", dependsOn: [] },
    { id: "quality_validation", dependsOn: ["schema_analysis"] },
    { id: "security_scan", dependsOn: ["schema_analysis"] },
    { id: "compliance_check", dependsOn: ["security_scan"] },
    { id: "cost_estimation", dependsOn: ["schema_analysis"] },
    { id: "lineage_mapping", dependsOn: ["schema_analysis"] },
  ];
  return { name: `${concurrent} onboarding runs at once`, tasks, concurrent };
}

/** Mulberry32 (Tommy Ettinger, public domain): the same numbers on every machine. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What every subject runs. */
export const DAGS: readonly Dag[] = [chain(1000), fan(1000), layers(), onboarding(500)];

/** The same shape at growing sizes: overhead per task should not grow with them. */
export const SIZES: readonly Dag[] = [chain(10), chain(100), chain(1000), chain(10_000)];
