// DBOS: a workflow that walks the DAG, each task a step; in the same Postgres.
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { BenchTask } from "../dags.ts";
import type { DurableSubject } from "./subject.ts";

const CONNECTIONS = 10;

/** Each task begins when its predecessors have ended. */
async function walk(tasks: readonly BenchTask[]): Promise<void> {
  const ended = new Map<string, Promise<void>>();
  for (const { id, dependsOn } of tasks) {
    const begin = Promise.all(dependsOn.map((one) => ended.get(one)));
    ended.set(
      id,
      begin.then(() => DBOS.runStep(async () => undefined, { name: id })),
    );
  }
  await Promise.all(ended.values());
}

export default {
  name: "DBOS steps",
  async prepare({ tasks }, databaseUrl) {
    DBOS.setConfig({
      name: "bench",
      systemDatabaseUrl: databaseUrl,
      systemDatabasePoolSize: CONNECTIONS,
      logLevel: "error",
    });
    const run = DBOS.registerWorkflow(() => walk(tasks), { name: "onboarding" });
    await DBOS.launch();
    return { run: () => run(), close: () => DBOS.shutdown() };
  },
} satisfies DurableSubject;
