import { SERVICES } from "./catalogue.ts";
import { SERVICE_VARIABLES } from "./endpoints.ts";
import { readState } from "./state.ts";

/** Runs once before all tests: hands them the servers that run, and says in one line which ones are absent. */
export default async function announceServices(): Promise<void> {
  const state = await readState();
  const absent: string[] = [];
  for (const service of SERVICES) {
    if (process.env[variableOf(service.name)]) continue;
    const started = state[service.name];
    if (started && (await service.running(started.folder, started.env))) Object.assign(process.env, started.env);
    else absent.push(service.name);
  }
  if (absent.length === 0) return;
  const names = absent.join(" ");
  console.log(`skipped: tests that need ${absent.join(", ")} (to have them: npm run services -- start ${names})`);
}

function variableOf(name: string): string {
  const variable = Object.entries(SERVICE_VARIABLES).find(([service]) => service === name)?.[1];
  if (!variable) throw new Error(`service "${name}" has no variable in tools/services/endpoints.ts`);
  return variable;
}
