// The echo expert by each placement.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const echo = fileURLToPath(new URL("../echo-expert", import.meta.url));

/** The entry of ODG_EXPERTS that places the expert so, and what ends what was started for it. */
export interface PlacedEcho {
  readonly entry: string;
  close(): void;
}

const PLACEMENTS = {
  module: async (): Promise<PlacedEcho> => ({ entry: echo, close: () => undefined }),
  process: async (): Promise<PlacedEcho> => ({ entry: `process:${echo}`, close: () => undefined }),
  remote: serveEcho,
};

/** How an engine may reach an expert. */
export type PlacementName = keyof typeof PLACEMENTS;

/** Makes the echo expert reachable so. */
export function placeEcho(placement: PlacementName): Promise<PlacedEcho> {
  return PLACEMENTS[placement]();
}

async function serveEcho(): Promise<PlacedEcho> {
  const script = fileURLToPath(new URL("./serve-echo.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@odg/source", script], { stdio: ["pipe", "pipe", "inherit"] });
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  return { entry: `remote:dns:///${new URL(url).host}`, close: () => child.kill() };
}
