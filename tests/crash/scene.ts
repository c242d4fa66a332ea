// An engine under load on a database of its own, for tests that disturb one thing and look at what is left.
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TestDatabase } from "./database.ts";
import {
  type EffectExpertOptions,
  type EngineProcess,
  effectExpert,
  type Household,
  newAddress,
  startEngine,
} from "./engines.ts";
import { type Inspection, inspect } from "./inspection.ts";
import { Load } from "./load.ts";
import { Random } from "./random.ts";

export interface SceneOptions {
  /** Where the effects are counted, and the journal is kept where `store` names no other place. */
  server: string;
  seed?: number;
  /** The database of the engines. */
  store?: TestDatabase;
  /** How engines reach their database, where that is not the straight way. */
  through?: (url: string) => string;
  env?: Record<string, string>;
}

export class Scene {
  readonly store: TestDatabase;
  readonly load: Load;
  readonly household: Household;
  readonly #sink: TestDatabase;
  readonly #folders: string[] = [];
  readonly #engines: EngineProcess[] = [];

  private constructor(sink: TestDatabase, { store, seed = 1, through = (url) => url, env }: SceneOptions) {
    this.#sink = sink;
    this.store = store ?? sink;
    this.load = new Load(new Random(seed));
    this.household = { databaseUrl: through(this.store.url), experts: [this.expert()], ...(env ? { env } : {}) };
  }

  static async open(options: SceneOptions): Promise<Scene> {
    const sink = await TestDatabase.create(options.server);
    await sink.countEffects();
    return new Scene(sink, options);
  }

  /** A copy of effect-expert, of whatever version: an entry of ODG_EXPERTS. */
  expert(options?: EffectExpertOptions): string {
    const folder = effectExpert(this.#sink.url, options);
    this.#folders.push(folder);
    return folder;
  }

  /** Starts an engine; `name` where it is to have that of an earlier one. */
  async engine(name = "scene", household: Partial<Household> = {}): Promise<EngineProcess> {
    const engine = await startEngine({ ...this.household, ...household }, await newAddress(name));
    this.#engines.push(engine);
    return engine;
  }

  /** Waits until every run has ended. @throws Error where they have not in time. */
  async settled(withinMs = 60_000): Promise<void> {
    for (const end = performance.now() + withinMs; ; await sleep(50)) {
      const open = await this.unfinished();
      if (open === 0) return;
      if (performance.now() > end) throw new Error(`${open} runs have not ended within ${withinMs / 1000} s`);
    }
  }

  async unfinished(): Promise<number> {
    const [row] = await this.store.query<{ count: string }>("select count(*) from runs where end_time is null");
    return Number(row?.count);
  }

  /** Every journal and every effect. */
  inspect(late: "fault" | "allowed" = "fault"): Promise<Inspection> {
    return inspect(this.store, this.load, { sink: this.#sink, late });
  }

  async close(): Promise<void> {
    for (const { running } of this.#engines) {
      if (running.process.exitCode !== null || running.process.signalCode !== null) continue;
      running.process.kill("SIGKILL");
      await running.ended;
    }
    await this.store.drop();
    if (this.#sink !== this.store) await this.#sink.drop();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}
