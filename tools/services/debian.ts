import { mustRun, runCommand } from "../run-command.ts";

/** Whether this process may install packages and has to drop its rights for servers that refuse to run as root. */
export const isRoot = process.getuid?.() === 0;

/**
 * Installs Debian packages.
 * @throws when the process is not root or the machine has no apt-get, saying what to install by hand.
 */
export async function installPackages(...packages: string[]): Promise<void> {
  const apt = await runCommand("apt-get", ["--version"]);
  if (!isRoot || apt.code !== 0) {
    const why = apt.code === 0 ? "only root may install packages" : "this machine has no apt-get";
    throw new Error(`${packages.join(", ")}: not installed, and ${why}; install it, then run this command again`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  // The lists of a fresh machine are empty, and those of an old one name packages that are gone.
  await mustRun("apt-get", ["update"], { env, timeoutMs: 300_000 });
  await mustRun("apt-get", install, { env, timeoutMs: 600_000 });
}
