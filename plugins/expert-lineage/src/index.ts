import { type ActionContext, action, type Dataset, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
import { findingsOf, MAX_SQL } from "./findings.ts";
import type { Dependency, Place } from "./graph.ts";
import { lineageEvent } from "./open-lineage.ts";
import { DependencyMap, type Neighbour, type Proof } from "./output.ts";
import { isCalled, shortName } from "./statement.ts";
import type { LineageAnswer, LineageJob } from "./worker.ts";

const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

const Input = z.object({
  dataset: z.string().min(1),
  dialect: z.string().default("").describe("SQL dialect to try first: postgresql, spark, tsql …; empty: find out"),
  namespace: z.string().min(1).default("default").describe("Namespace of the datasets in the OpenLineage event"),
});

/** Finds what a dataset is made of and what is made of it. */
export default defineExpert({
  name: "LineageExpert",
  version: "0.1.0",
  description: "Finds what a dataset is made of and what is made of it, with the line that proves each dependency.",
  model: "gemini-3",
  actions: {
    map_dependencies: action({
      capability: "lineage_tracing",
      description: "Reads the SQL beside the dataset: upstream, downstream and column lineage.",
      input: Input,
      output: DependencyMap,
      async execute(input, ctx) {
        const data = await ctx.datasets.open(input.dataset);
        ctx.progress(0.1, "collecting SQL");
        const { files, skipped } = withinLimit(await data.documents("sql"));
        const siblings = (await data.siblings()).map(({ name }) => name).sort();
        ctx.progress(0.3, `reading ${files.length} SQL ${files.length === 1 ? "file" : "files"}`);
        const answer = files.length > 0 ? await readSql({ data, files, dialect: input.dialect }, ctx) : undefined;
        ctx.progress(0.9, "connecting tables");
        const map = describe(answer, {
          name: data.info.name,
          files: files.length,
          siblings,
          namespace: input.namespace,
          ctx,
        });
        const confidence = nameConfidence(answer?.names ?? [], data.info.name);
        for (const finding of findingsOf({ map, confidence, skipped, siblings })) ctx.finding(finding);
        ctx.context.set("lineage.upstream", shared(map));
        ctx.summary(headline(map));
        return map;
      },
    }),
  },
});

type SqlFile = LineageJob["files"][number];

function withinLimit(documents: SqlFile[]): { files: SqlFile[]; skipped: string[] } {
  const files: SqlFile[] = [];
  const skipped: string[] = [];
  let left = MAX_SQL;
  for (const { name, text } of documents) {
    if (text.length > left) skipped.push(name);
    else {
      files.push({ name, text });
      left -= text.length;
    }
  }
  return { files, skipped };
}

const SharedColumns = z.array(z.object({ name: z.string() }));

async function readSql(
  from: { data: Dataset; files: SqlFile[]; dialect: string },
  ctx: ActionContext,
): Promise<LineageAnswer> {
  const columns = SharedColumns.safeParse((await ctx.context.get("schema.columns"))?.value);
  const tables = columns.success ? { [from.data.info.name]: columns.data.map(({ name }) => name) } : {};
  const job: LineageJob = { dataset: from.data.info.name, files: from.files, dialect: from.dialect, tables };
  return ctx.offload<LineageAnswer>(WORKER, job);
}

interface Surroundings {
  name: string;
  files: number;
  siblings: string[];
  namespace: string;
  ctx: ActionContext;
}

function describe(answer: LineageAnswer | undefined, at: Surroundings): DependencyMap {
  const proof = (place: Place): Proof => ({ ...place, text: answer?.lines[`${place.file}:${place.line}`] ?? "" });
  const neighbour = ({ table, places }: Dependency): Neighbour => {
    const sibling = at.siblings.find((name) => isCalled(table, name));
    const known = sibling !== undefined || (answer?.written.includes(shortName(table)) ?? false);
    return { dataset: sibling ?? table, table, known, evidence: places.map(proof) };
  };
  const upstream = (answer?.upstream ?? []).map(neighbour);
  const columns = answer?.columns ?? [];
  const writers = [...new Set((answer?.writers ?? []).map(({ file }) => file))];
  const event = lineageEvent({
    runId: at.ctx.runId,
    namespace: at.namespace,
    dataset: at.name,
    files: writers,
    upstream: upstream.map(({ table }) => table),
    columns,
  });
  return {
    dataset: at.name,
    upstream,
    downstream: (answer?.downstream ?? []).map(neighbour),
    readers: (answer?.readers ?? []).map(proof),
    columns,
    unread: answer?.faults ?? [],
    files: at.files,
    statements: answer?.statements ?? 0,
    openlineage: event ?? null,
  };
}

/** A qualified name (`sales.orders`) matched by its last part could mean another table of that name: less sure. */
function nameConfidence(names: string[], dataset: string): number {
  return names.every((name) => name.toLowerCase() === dataset.toLowerCase()) ? 1 : 0.9;
}

function shared({ upstream }: DependencyMap) {
  return upstream.map(({ dataset, evidence }) => ({
    dataset,
    file: evidence[0]?.file ?? "",
    line: evidence[0]?.line ?? 0,
  }));
}

function headline({ upstream, files }: DependencyMap): string {
  if (files === 0) return "No SQL beside the data: upstream unknown";
  if (upstream.length === 0) return "No upstream dataset found in the SQL beside the data";
  const names = upstream.slice(0, 5).map(({ dataset }) => dataset);
  const more = upstream.length > names.length ? ` and ${upstream.length - names.length} more` : "";
  return `Depends on ${upstream.length} upstream ${upstream.length === 1 ? "dataset" : "datasets"}: ${names.join(", ")}${more}`;
}
