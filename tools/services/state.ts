import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ServiceEnv } from "./service.ts";

/** Where everything of the services lives; ignored by git. */
export const CACHE_FOLDER = resolve(import.meta.dirname, "../../.cache/services");

const STATE_FILE = join(CACHE_FOLDER, "state.json");

/** A service that was started: its private folder and what tests need to find it. */
export interface Started {
  readonly folder: string;
  readonly env: ServiceEnv;
}

export type State = Record<string, Started>;

/** What was started and not stopped yet, by the name of the service. */
export async function readState(file = STATE_FILE): Promise<State> {
  if (!existsSync(file)) return {};
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text) as State;
  } catch (cause) {
    throw new Error(`${file} is damaged; stop the servers it names by hand, then remove it`, { cause });
  }
}

/** Readable by the owner alone, since the URLs hold the passwords; replaced at once, so that a crash leaves no half. */
export async function writeState(state: State, file = STATE_FILE): Promise<void> {
  if (Object.keys(state).length === 0) return rm(file, { force: true });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
