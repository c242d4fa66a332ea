import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBResult,
  type Json,
} from "@duckdb/node-api";
import { duckFault } from "./duck-fault.ts";
import type { NativeGate } from "./native-gate.ts";

/** What one DuckDB instance may touch and use. */
export interface DuckLimits {
  /** Files that it may read. */
  readonly files: readonly string[];
  /** Folder that it may write to, where it must. */
  readonly writable?: string;
  /** Folder for what does not fit in memory. */
  readonly spill: string;
  readonly memoryLimitMb: number;
  readonly gate: NativeGate;
}

/** One row of an answer, values as JSON holds them (64-bit integers as text). */
export type Row = Record<string, Json>;

/** A DuckDB in memory that can reach nothing but the files it was opened for. Errors are DatasetErrors. */
export class Duck {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #gate: NativeGate;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, gate: NativeGate) {
    this.#instance = instance;
    this.#connection = connection;
    this.#gate = gate;
  }

  static async open(limits: DuckLimits): Promise<Duck> {
    const { gate } = limits;
    const options = {
      threads: "2",
      memory_limit: `${limits.memoryLimitMb}MB`,
      temp_directory: limits.spill,
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      // The page cache of the machine does the same, outside this process.
      enable_external_file_cache: "false",
    };
    const instance = await gate.pass(() => DuckDBInstance.create(":memory:", options));
    const connection = await gate.pass(() => instance.connect());
    const settings = [
      `SET allowed_paths = [${limits.files.map(literal).join(", ")}]`,
      ...(limits.writable ? [`SET allowed_directories = [${literal(`${limits.writable}/`)}]`] : []),
      "SET enable_external_access = false",
      "SET TimeZone = 'UTC'",
      "SET lock_configuration = true",
    ];
    for (const sql of settings) await gate.pass(() => connection.run(sql));
    return new Duck(instance, connection, gate);
  }

  /** All rows of a small answer. */
  async ask(sql: string): Promise<Row[]> {
    return (await this.#native(() => this.#connection.runAndReadAll(sql))).getRowObjectsJson();
  }

  /** The one row of an answer that has one. */
  async askOne(sql: string): Promise<Row> {
    return (await this.ask(sql))[0] ?? {};
  }

  /** A large answer, to be fetched chunk by chunk. */
  async stream(sql: string): Promise<DuckDBResult> {
    return this.#native(() => this.#connection.stream(sql));
  }

  /** The next chunk of a streamed answer; null at its end. */
  async fetch(result: DuckDBResult): Promise<DuckDBDataChunk | null> {
    return this.#native(() => result.fetchChunk());
  }

  async #native<T>(call: () => Promise<T>): Promise<T> {
    const running = this.#gate.pass(call);
    this.#running.add(running);
    try {
      return await running;
    } catch (cause) {
      throw duckFault(cause);
    } finally {
      this.#running.delete(running);
    }
  }

  /** Makes whatever runs fail soon. */
  interrupt(): void {
    this.#connection.interrupt();
  }

  /** Stops what runs, waits for it, and frees everything. */
  async close(): Promise<void> {
    this.interrupt();
    await Promise.allSettled(this.#running);
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
