import * as z from "zod";

const Proof = z.object({
  file: z.string().describe("File beside the data"),
  line: z.number().int().positive().describe("Line in the file, from 1"),
  statement: z.string().describe("Kind of the statement: create table, insert …"),
  via: z.array(z.string()).describe("Temporary tables on the way"),
  text: z.string().describe("The line without comments and literals, at most 200 characters"),
});

const Neighbour = z.object({
  dataset: z.string().describe("Name of the dataset where it is known, else the table as written"),
  table: z.string().describe("Table as the SQL writes it"),
  known: z.boolean().describe("Whether it lies beside the data or is written by the SQL there"),
  evidence: z.array(Proof),
});

/** What `map_dependencies` answers. */
export const DependencyMap = z.object({
  dataset: z.string(),
  upstream: z.array(Neighbour),
  downstream: z.array(Neighbour),
  readers: z.array(Proof).describe("Queries that read the dataset and write nothing that lasts"),
  columns: z.array(
    z.object({
      from: z.object({ table: z.string().nullable(), column: z.string() }),
      to: z.object({ table: z.string().nullable(), column: z.string() }),
      transform: z.enum(["identity", "transformation", "aggregation"]),
    }),
  ),
  unread: z.array(z.object({ file: z.string(), line: z.number().int(), message: z.string() })),
  files: z.number().int().describe("SQL files that were read"),
  statements: z.number().int().describe("Statements in them that touch tables"),
  openlineage: z.record(z.string(), z.unknown()).nullable().describe("An OpenLineage JobEvent"),
});

export type DependencyMap = z.infer<typeof DependencyMap>;
export type Neighbour = z.infer<typeof Neighbour>;
export type Proof = z.infer<typeof Proof>;
