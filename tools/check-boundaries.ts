/** Enforces who may import whom and which file may do what; the rules are the tables in boundaries/rules.ts. */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix, resolve } from "node:path";
import { ownerOf, readPackages, type WorkspacePackage } from "./boundaries/packages.ts";
import { isTest, PACKAGE_RULES, SHARED_WITH_TESTS, USE_RULES } from "./boundaries/rules.ts";
import { type Import, scanSource, type UseSite } from "./boundaries/scan.ts";
import { sourceFiles } from "./source-files.ts";

const CHECKED = /^(?:libs|apps|plugins|tools|tests)\/.+\.(?:tsx?|m?js)$/;
/** Has its own lockfile, or is what others will own: it stands outside the workspace. */
const OUTSIDE = /^tools\/bench\/|\/testdata\/|^tools\/create-odg-expert\/template\//;
const SCOPE = "@odg/";

interface Place {
  readonly path: string;
  readonly owner: WorkspacePackage;
  readonly packages: readonly WorkspacePackage[];
}

/**
 * Checks every source file of a workspace.
 * @returns one line per fault: `file:line: why; what to do`. A file that does not parse is a fault, too.
 */
export function boundaryFaults(root: string): string[] {
  const packages = readPackages(root);
  const paths = sourceFiles(root).filter((path) => CHECKED.test(path) && !OUTSIDE.test(path));
  return paths.flatMap((path) => {
    const place = { path, owner: ownerOf(path, packages), packages };
    try {
      const { imports, uses } = scanSource(path, readFileSync(join(root, path), "utf8"));
      return [
        ...imports.flatMap((found) => at(place, found.line, importFault(place, found))),
        ...uses.flatMap((site) => useFaults(place, site)),
      ];
    } catch (error) {
      if (error instanceof SyntaxError) return [error.message];
      throw error;
    }
  });
}

function at({ path }: Place, line: number, fault: string | undefined): string[] {
  return fault === undefined ? [] : [`${path}:${line}: ${fault}`];
}

function useFaults(place: Place, { use, line }: UseSite): string[] {
  return USE_RULES.filter((rule) => rule.use === use)
    .filter((rule) => (rule.only?.test(place.path) ?? true) && !rule.except.test(place.path))
    .flatMap((rule) => at(place, line, `${rule.why}; ${rule.instead}`));
}

function importFault(place: Place, { specifier }: Import): string | undefined {
  if (specifier.startsWith(".")) return relativeFault(place, specifier);
  if (specifier.startsWith("/") || specifier.startsWith("file:")) return `imports "${specifier}" by an absolute path`;
  if (isBuiltin(specifier)) {
    return specifier.startsWith("node:") ? undefined : `imports "${specifier}"; write "node:${specifier}"`;
  }
  return specifier.startsWith(SCOPE)
    ? workspaceFault(place, specifier)
    : undeclaredFault(place, packageName(specifier));
}

function relativeFault({ path, owner, packages }: Place, specifier: string): string | undefined {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (target.startsWith("..")) return `"${specifier}" leaves the repository`;
  const targetOwner = ownerOf(target, packages);
  if (targetOwner === owner || (isTest(path) && SHARED_WITH_TESTS.includes(target))) return undefined;
  return `"${specifier}" leaves ${owner.name} for ${targetOwner.name}; import the package by its name`;
}

function workspaceFault(place: Place, specifier: string): string | undefined {
  const { owner, packages } = place;
  const name = packageName(specifier);
  const target = packages.find((candidate) => candidate.name === name);
  if (!target) return `there is no package ${name} in the workspace`;
  if (target === owner) return `${name} imports itself by name; use a relative path`;
  const rule = PACKAGE_RULES.find(({ folder }) => posix.matchesGlob(owner.folder, folder));
  if (!rule) return `${owner.folder} has no row in tools/boundaries/rules.ts; add what it may import`;
  if (!rule.mayImport.includes(name)) return forbidden(owner, target, rule.mayImport);
  if (!exportsSubpath(target, specifier)) return `${name} does not export "${specifier}"; add it to its exports`;
  return owner.folder === "." ? undefined : undeclaredFault(place, name);
}

function forbidden(owner: WorkspacePackage, target: WorkspacePackage, mayImport: readonly string[]): string {
  const why = `${owner.name} may not import ${target.name}`;
  if (target.folder.startsWith("plugins/")) return `${why}; an expert is loaded at run time by its package name`;
  if (target.folder.startsWith("apps/")) return `${why}; move what both need into a lib`;
  return `${why}; of ours it may import ${mayImport.length === 0 ? "nothing" : mayImport.join(", ")}`;
}

function exportsSubpath(target: WorkspacePackage, specifier: string): boolean {
  const subpath = `.${specifier.slice(target.name.length)}`;
  return (target.exports ?? []).some((key) =>
    key.includes("*") ? subpath.startsWith(key.slice(0, key.indexOf("*"))) : key === subpath,
  );
}

function undeclaredFault({ path, owner, packages }: Place, name: string): string | undefined {
  if (owner.dependencies.has(name)) return undefined;
  const root = packages.at(-1);
  const forTests = owner.devDependencies.has(name) || root?.devDependencies.has(name) === true;
  if ((isTest(path) || owner === root) && forTests) return undefined;
  return `${name} is not a dependency of ${owner.name}; declare it in ${posix.join(owner.folder, "package.json")}`;
}

/** `@scope/name/sub` and `name/sub` without their subpath. */
function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function main(): number {
  const faults = boundaryFaults(resolve(import.meta.dirname, ".."));
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main();
