import { existsSync } from "node:fs";
import { mustRun } from "../run-command.ts";
import { installPackages } from "./debian.ts";
import { SERVICE_VARIABLES } from "./endpoints.ts";
import type { Service, ServiceEnv } from "./service.ts";

const PATH = "/usr/bin/chromium";

/** Debian's Chromium for browser tests: a program and no server, so starting it only tells the tests where it is. */
export const chromium: Service = { name: "chromium", install, start, running, stop };

async function install(): Promise<string> {
  if (!existsSync(PATH)) await installPackages("chromium", "fonts-dejavu-core");
  const output = await mustRun(PATH, ["--version"]);
  // Debian's start script may complain about the machine first.
  return output.trim().split("\n").at(-1) ?? "Chromium";
}

async function start(): Promise<ServiceEnv> {
  if (!existsSync(PATH)) throw new Error("Chromium is not installed; run `npm run services -- install chromium`");
  return { [SERVICE_VARIABLES.chromium]: PATH };
}

async function running(): Promise<boolean> {
  return existsSync(PATH);
}

async function stop(): Promise<void> {}
