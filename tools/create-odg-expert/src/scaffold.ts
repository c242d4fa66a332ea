import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** What an expert cannot be made of; the message says what to change. */
export class ScaffoldError extends Error {
  override readonly name = "ScaffoldError";
}

/** What may differ from the usual. */
export interface ScaffoldOptions {
  /** `@odg/expert-plugin-api` to make it for: a version range, or the path of a tarball. */
  api?: string;
}

/** The range of `@odg/expert-plugin-api` that this template is written for. */
export const API_RANGE = "^0.1.0";

const TEMPLATE = fileURLToPath(new URL("../template", import.meta.url));
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MAX_NAME = 50;

/**
 * Makes the package of an expert in a new or empty folder. The folder's name names the expert: `missing-values` becomes the package
 * `odg-expert-missing-values` with the expert `MissingValuesExpert`.
 *
 * @returns the files, relative to the folder.
 * @throws ScaffoldError where the name will not do, or the folder holds something.
 */
export async function scaffoldExpert(folder: string, { api = API_RANGE }: ScaffoldOptions = {}): Promise<string[]> {
  const root = resolve(folder);
  const name = basename(root).replace(/^odg-expert-/, "");
  if (!NAME.test(name) || name.length > MAX_NAME) {
    throw new ScaffoldError(
      `"${name}" cannot name an expert: small letters, digits and hyphens, beginning with a letter, at most ${MAX_NAME}`,
    );
  }
  await mkdir(root, { recursive: true });
  if ((await readdir(root)).length > 0) throw new ScaffoldError(`${folder} is not empty`);
  await cp(TEMPLATE, root, { recursive: true });
  const words: Record<string, string> = {
    __name__: name,
    __Name__: name.replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase()),
    __rule__: name.replaceAll("-", "_"),
    __api__: /^[./]|\.tgz$/.test(api) ? `file:${resolve(api)}` : api,
  };
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths) {
    const text = await readFile(path, "utf8");
    await writeFile(
      path,
      text.replace(/__(name|Name|rule|api)__/g, (word) => words[word] ?? word),
    );
  }
  return paths.map((path) => path.slice(root.length + 1)).sort();
}
