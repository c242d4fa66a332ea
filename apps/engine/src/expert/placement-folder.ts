import { lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../logger.ts";

/** `odg-experts-<process>-<six characters>`; the process is missing in what an older engine made. */
const NAME = /^odg-experts-(?:(\d+)-)?[A-Za-z0-9]{6}$/;
/** Socket by which processes ask back: who listens there is alive, whatever its number is in another container. */
const DOOR = "host";
/** An engine that is just starting has its folder before its door. */
const YOUNG_MS = 60_000;

/** The folder of one engine, for the sockets of its experts, which only its user may enter. */
export class PlacementFolder {
  readonly path: string;
  #experts = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(within = tmpdir()): Promise<PlacementFolder> {
    return new PlacementFolder(await mkdtemp(join(within, `odg-experts-${process.pid}-`)));
  }

  /** Where the engine listens. */
  get door(): string {
    return join(this.path, DOOR);
  }

  /** Makes a folder that is one expert's own: its socket lies there, and whatever it writes. */
  async ownFolder(): Promise<string> {
    const path = join(this.path, `${++this.#experts}`);
    await mkdir(path, { mode: 0o700 });
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/**
 * Removes the folders of engines that were killed before they could. One that cannot be removed is left, and logged.
 *
 * @param within Where they lie; the folder for temporary files where absent.
 */
export async function removeLeftFolders(logger: Logger, within = tmpdir()): Promise<void> {
  const names = (await readdir(within).catch(() => [])).filter((name) => NAME.test(name));
  for (const name of names) {
    const path = join(within, name);
    try {
      if (!(await isLeft(path, name))) continue;
      await rm(path, { recursive: true, force: true });
      logger.info({ folder: name }, "removed the folder of an engine that is gone");
    } catch (err) {
      logger.warn({ folder: name, err }, "the folder of an engine that is gone cannot be removed");
    }
  }
}

async function isLeft(path: string, name: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  // Another user's, or a link to somewhere: whoever made it may remove it.
  if (!found?.isDirectory() || found.uid !== process.getuid?.()) return false;
  const pid = Number(NAME.exec(name)?.[1] ?? 0);
  // In a container a former self has often had the same number.
  const unclear = pid === 0 || pid === process.pid;
  if (unclear ? Date.now() - found.mtimeMs < YOUNG_MS : isAlive(pid)) return false;
  return !(await answers(join(path, DOOR)));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const over = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("connect", () => over(true)).once("error", () => over(false));
  });
}
