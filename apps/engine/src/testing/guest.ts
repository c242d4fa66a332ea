import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MODULES = resolve(import.meta.dirname, "../../../../node_modules");

/** A published package of somebody else, as it lies on a disk. */
export interface GuestOptions {
  /** Name of the package. */
  name?: string;
  version?: string;
  permissions?: object;
  /** Name of its expert. */
  expert?: string;
  /** A line more in its code. */
  more?: string;
  /** Body of its action `act`, which is given `input` and answers what JSON can hold. */
  act?: string;
}

/** Writes a package over whatever is in the folder. */
export function writeGuest(root: string, options: GuestOptions = {}): string {
  const { name = "odg-expert-guest", version = "1.0.0", permissions = {}, expert = "GuestExpert" } = options;
  const { more = "", act = "return null;" } = options;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const odg = { role: "expert", protocol: 1, permissions };
  writeFileSync(join(root, "package.json"), JSON.stringify({ name, version, type: "module", main: "index.js", odg }));
  const code = `import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
const act = action({
  capability: "acting",
  input: z.looseObject({}),
  output: z.object({ got: z.json() }),
  execute: async (input) => ({ got: await (async () => { ${act} })() }),
});
export default defineExpert({ name: "${expert}", version: "${version}", actions: { act } });
// ${more}
`;
  writeFileSync(join(root, "index.js"), code);
  return root;
}

/** A folder in which packages find what they import; packages may lie in it, or in its `node_modules`. */
export function guestHouse(): string {
  const folder = mkdtempSync(join(tmpdir(), "odg-guests-"));
  mkdirSync(join(folder, "node_modules"));
  for (const name of ["@odg", "zod"]) symlinkSync(join(MODULES, name), join(folder, "node_modules", name));
  return folder;
}
