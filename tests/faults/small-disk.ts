// A place on a disk of a few megabytes, for a Postgres that is to run out of room. Needs the right to mount.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A mounted disk, or nothing where this machine does not let us mount one. */
export function smallDisk(megabytes: number): { folder: string; remove(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "odg-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmdirSync(folder);
    return undefined;
  }
  const remove = () => {
    execFileSync("umount", [folder]);
    rmdirSync(folder);
  };
  try {
    // The server runs as this user where the tests run as root.
    execFileSync("chown", ["postgres:", folder]);
    return { folder, remove };
  } catch {
    remove();
    return undefined;
  }
}
