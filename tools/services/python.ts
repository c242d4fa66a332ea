import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { mustRun, runCommand } from "../run-command.ts";
import { installPackages } from "./debian.ts";
import { SERVICE_VARIABLES } from "./endpoints.ts";
import type { Service, ServiceEnv } from "./service.ts";
import { CACHE_FOLDER } from "./state.ts";

const REQUIREMENTS = resolve(import.meta.dirname, "../../examples/python-expert/requirements.txt");
const VENV = join(CACHE_FOLDER, "python");
const PATH = join(VENV, "bin", "python");
/** A copy of the requirements that were installed: written last, so that half an environment is made again. */
const INSTALLED = join(VENV, "requirements.txt");

/** Python with the packages of the example expert: a program and no server, so starting it only tells the tests where it is. */
export const python: Service = { name: "python", install, start, running, stop };

async function install(): Promise<string> {
  if (!(await isCurrent())) {
    await rm(VENV, { recursive: true, force: true });
    // Debian's python3 alone cannot make an environment; other installations bring what that needs.
    if ((await runCommand("python3", ["-m", "venv", VENV])).code !== 0) {
      await installPackages("python3", "python3-venv");
      await mustRun("python3", ["-m", "venv", "--clear", VENV]);
    }
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    await mustRun(PATH, pip, { timeoutMs: 600_000 });
    await writeFile(INSTALLED, await readFile(REQUIREMENTS));
  }
  return (await mustRun(PATH, ["--version"])).trim();
}

async function start(): Promise<ServiceEnv> {
  if (!(await isCurrent())) throw new Error("its packages are not installed; run `npm run services -- install python`");
  return { [SERVICE_VARIABLES.python]: PATH };
}

function running(): Promise<boolean> {
  return isCurrent();
}

async function stop(): Promise<void> {}

async function isCurrent(): Promise<boolean> {
  if (!existsSync(INSTALLED)) return false;
  return (await readFile(INSTALLED)).equals(await readFile(REQUIREMENTS));
}
