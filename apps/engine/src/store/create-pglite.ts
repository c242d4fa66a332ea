import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";

// Makes the files of an empty database. It takes some 400 MB for a moment, which a thread gives back when it ends.
const { folder, settings } = workerData as { folder: string; settings: string[] };
const database = new PGlite(folder, { postgresqlconf: settings });
await database.waitReady;
await database.close();
parentPort?.postMessage("created");
