import type { WorkerFunction } from "@odg/expert-plugin-api";
import { ask } from "./ask.ts";

const work: WorkerFunction<{ port: number; path: string }, string> = (request) => ask(request);
export default work;
