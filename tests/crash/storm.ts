// Kills engines at random points of a load, starts them again, and looks at what is left of it in the end.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TestDatabase } from "./database.ts";
import {
  type Address,
  type EngineProcess,
  effectExpert,
  type Household,
  killStarting,
  launchEngine,
  newAddress,
} from "./engines.ts";
import { type Inspection, inspect } from "./inspection.ts";
import { Load } from "./load.ts";
import { Random } from "./random.ts";

export interface StormOptions {
  /** Connection string of a Postgres that a database may be made on. */
  server: string;
  /** SIGKILLs in all. */
  kills: number;
  seed: number;
  /** 1: one engine, started again under its name. 2: two, each followed by one with another name. */
  engines: 1 | 2;
  /** Runs under way at once. */
  runs: number;
  /** Longest time from an engine's readiness to its death, in milliseconds. */
  lifeMs: number;
  /** How the expert is reached. */
  placement: "module" | "process";
  /** Ends the kills early; what is left is looked at all the same. */
  signal?: AbortSignal;
  /** Told how far it is. */
  tell(line: string): void;
}

export interface StormReport extends Inspection {
  seed: number;
  kills: number;
  seconds: number;
}

/** Kills that hit an engine that has not said yet that it is ready. */
const EARLY = 0.15;
/** Time from the last kill to the end of the last run. */
const CALM_MS = 120_000;

/** Runs a storm. The database is removed where nothing is wrong, and stays to be looked at where something is. */
export async function storm(options: StormOptions): Promise<StormReport> {
  const began = performance.now();
  const database = await TestDatabase.create(options.server);
  await database.countEffects();
  const folder = effectExpert(database.url);
  const compileCache = mkdtempSync(join(tmpdir(), "odg-compile-"));
  const household: Household = {
    databaseUrl: database.url,
    experts: [options.placement === "process" ? `process:${folder}` : folder],
    compileCache,
    env: { ODG_LOG_LEVEL: "info" },
  };
  const weather = new Storm(options, household, database);
  try {
    await weather.rage();
    await weather.calm();
    await weather.end();
    const inspection = await inspect(database, weather.load, { lives: weather.lives });
    inspection.faults.push(...weather.faults);
    if (inspection.unsuccessful > 0) inspection.faults.push(`${inspection.unsuccessful} runs did not succeed`);
    if (inspection.faults.length === 0) await database.drop();
    else options.tell(`the database ${new URL(database.url).pathname.slice(1)} is left to be looked at`);
    return { ...inspection, seed: options.seed, kills: weather.kills, seconds: (performance.now() - began) / 1000 };
  } finally {
    await weather.end();
    for (const each of [folder, compileCache]) if (existsSync(each)) rmSync(each, { recursive: true, force: true });
  }
}

/** When one process of an engine lived, in Unix milliseconds. */
export interface Life {
  name: string;
  startedAt: number;
  killedAt?: number;
  /** The runs that were its own when it was killed, where that can be known. */
  runs?: string[];
}

class Storm {
  readonly load: Load;
  readonly lives: Life[] = [];
  readonly faults: string[] = [];
  kills = 0;
  #options: StormOptions;
  #household: Household;
  #database: TestDatabase;
  #random: Random;
  #living = new Map<EngineProcess, Life>();
  #named = 0;
  #feeding: Promise<void>;
  #over = false;

  constructor(options: StormOptions, household: Household, database: TestDatabase) {
    this.#options = options;
    this.#household = household;
    this.#database = database;
    this.#random = new Random(options.seed);
    // Of its own: how many runs are started must not change when the kills come.
    this.load = new Load(new Random(options.seed + 1));
    this.#feeding = this.#feed();
  }

  /** Kills until there were enough kills. */
  async rage(): Promise<void> {
    const { engines, kills, tell, signal } = this.#options;
    const addresses = await Promise.all(Array.from({ length: engines }, () => this.#address()));
    await this.#warmUp(addresses[0]!);
    for (const address of addresses) await this.#start(address);
    while (this.kills < kills && !signal?.aborted) {
      await sleep(this.#random.between(0, this.#options.lifeMs));
      const address = await this.#killOne();
      const next = engines === 1 ? address : await this.#address();
      while (engines === 1 && this.kills < kills && this.#random.next() < EARLY) await this.#killEarly(next);
      await this.#start(next);
      if (this.kills % 10 === 0) tell(`${this.kills} of ${kills} kills, ${this.load.accepted.size} runs begun`);
    }
  }

  /** Lets everything come to its end. */
  async calm(): Promise<void> {
    this.#over = true;
    await this.#feeding;
    for (const end = performance.now() + CALM_MS; performance.now() < end; ) {
      if ((await this.#unfinished()) === 0) return;
      await sleep(100);
    }
    this.faults.push(`${await this.#unfinished()} runs have not ended ${CALM_MS / 1000} s after the last kill`);
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#feeding;
    for (const engine of this.#living.keys()) {
      engine.signal("SIGTERM");
      const { code, stderr } = await engine.running.ended;
      if (code !== 0) this.faults.push(`an engine that was to stop ended with ${code}: ${stderr.slice(-500)}`);
    }
    this.#living.clear();
  }

  #address(): Promise<Address> {
    this.#named++;
    return newAddress(`crash-${this.#named}`);
  }

  /** One life in order, so that the next ones find their source files compiled. */
  async #warmUp(address: Address): Promise<void> {
    const engine = await launchEngine(this.#household, address).ready();
    engine.signal("SIGTERM");
    await engine.running.ended;
  }

  async #start(address: Address): Promise<void> {
    const starting = launchEngine(this.#household, address);
    const engine = await starting.ready();
    const life = { name: address.name, startedAt: starting.startedAt };
    this.lives.push(life);
    this.#living.set(engine, life);
  }

  async #killOne(): Promise<Address> {
    const all = [...this.#living.keys()];
    const engine = all[this.#random.between(0, all.length - 1)];
    const life = engine && this.#living.get(engine);
    if (!engine || !life) throw new Error("there is no engine to kill");
    this.#living.delete(engine);
    const killed = engine.kill();
    life.killedAt = Date.now();
    await killed;
    life.runs = await this.#runsOf(life.name);
    this.kills++;
    return { name: engine.name, port: Number(new URL(engine.url).port) };
  }

  async #killEarly(address: Address): Promise<void> {
    const starting = launchEngine(this.#household, address);
    await sleep(this.#random.between(200, 1200));
    await killStarting(starting);
    const runs = await this.#runsOf(address.name);
    this.lives.push({ name: address.name, startedAt: starting.startedAt, killedAt: Date.now(), runs });
    this.kills++;
  }

  /** Keeps as many runs under way as were asked for, wherever an engine answers. */
  async #feed(): Promise<void> {
    while (!this.#over) {
      const all = [...this.#living.keys()];
      const client = all[Math.floor(performance.now()) % all.length]?.client;
      if (client) {
        const missing = this.#options.runs - (await this.#unfinished());
        if (missing > 0) await this.load.start(client, missing);
        if (missing > 0) await this.load.repeat(client);
      }
      await sleep(50);
    }
  }

  async #unfinished(): Promise<number> {
    const [row] = await this.#database.query<{ count: string }>("select count(*) from runs where end_time is null");
    return Number(row?.count);
  }

  /** Unfinished runs that an engine drives, by its lease. */
  async #runsOf(name: string): Promise<string[]> {
    const rows = await this.#database.query<{ run_id: string }>(
      "select run_id from runs where owner = $1 and end_time is null",
      [name],
    );
    return rows.map(({ run_id }) => run_id);
  }
}
