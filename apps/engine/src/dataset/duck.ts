import { type DuckDBConnection, DuckDBInstance, type DuckDBResult, type Json } from "@duckdb/node-api";
import { duckFault } from "./duck-fault.ts";

/** What one DuckDB instance may touch and use. */
export interface DuckLimits {
  /** Files that it may read. */
  readonly files: readonly string[];
  /** Folder that it may write to, where it must. */
  readonly writable?: string;
  /** Folder for what does not fit in memory. */
  readonly spill: string;
  readonly memoryLimitMb: number;
}

/** One row of an answer, values as JSON holds them (64-bit integers as text). */
export type Row = Record<string, Json>;

/** A DuckDB in memory that can reach nothing but the files it was opened for. Errors are DatasetErrors. */
export class Duck {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(limits: DuckLimits): Promise<Duck> {
    const instance = await DuckDBInstance.create(":memory:", {
      threads: "2",
      memory_limit: `${limits.memoryLimitMb}MB`,
      temp_directory: limits.spill,
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      // The page cache of the machine does the same, outside this process.
      enable_external_file_cache: "false",
    });
    const connection = await instance.connect();
    await connection.run(`SET allowed_paths = [${limits.files.map(literal).join(", ")}]`);
    if (limits.writable) await connection.run(`SET allowed_directories = [${literal(`${limits.writable}/`)}]`);
    await connection.run("SET enable_external_access = false");
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run("SET lock_configuration = true");
    return new Duck(instance, connection);
  }

  /** All rows of a small answer. */
  async ask(sql: string): Promise<Row[]> {
    try {
      return (await this.#connection.runAndReadAll(sql)).getRowObjectsJson();
    } catch (cause) {
      throw duckFault(cause);
    }
  }

  /** The one row of an answer that has one. */
  async askOne(sql: string): Promise<Row> {
    return (await this.ask(sql))[0] ?? {};
  }

  /** A large answer, chunk by chunk. */
  async stream(sql: string): Promise<DuckDBResult> {
    try {
      return await this.#connection.stream(sql);
    } catch (cause) {
      throw duckFault(cause);
    }
  }

  /** Makes whatever runs fail soon. */
  interrupt(): void {
    this.#connection.interrupt();
  }

  close(): void {
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
