// The packages that are never published by themselves travel inside of the package that needs them.

import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** Where the built files of an unpublished package lie, by what follows its name in an import. */
const UNPUBLISHED: Readonly<Record<string, (path: string) => string>> = {
  "@odg/proto": (path) => `libs/proto/gen/${path}.js`,
  "@odg/rpc": (path) => `libs/rpc/dist/${path || "index"}.js`,
};
const SPECIFIER = /(["'])(@odg\/(?:proto|rpc))(?:\/([^"']+))?\1/g;
const RELATIVE = /\bfrom\s*["'](\.[^"']+)["']|\bimport\s*\(?\s*["'](\.[^"']+)["']/g;

/** Copies the built files of a package, with what they need of unpublished packages in `vendor/`. */
export function copyBuilt(folder: string, into: string): void {
  const dist = join(folder, "dist");
  for (const file of globSync("**/*.{js,d.ts,json}", { cwd: dist })) {
    const text = readFileSync(join(dist, file), "utf8");
    write(join(into, "dist", file), vendored(text, posix.join("dist", posix.normalize(file)), into));
  }
}

/** Text of a file with its imports of unpublished packages led to their copies, which are made. */
function vendored(text: string, at: string, into: string): string {
  return withoutMap(text).replaceAll(SPECIFIER, (_, quote: string, name: string, path = "") => {
    const source = UNPUBLISHED[name]?.(path);
    if (source === undefined) throw new Error(`${at}: ${name} has no place`);
    const target = copyOnce(source, into);
    const between = posix.relative(posix.dirname(at), target);
    return `${quote}${between.startsWith(".") ? between : `./${between}`}${quote}`;
  });
}

/** Copies a file of an unpublished package and everything it imports; answers its place in the package. */
function copyOnce(source: string, into: string): string {
  const target = source.replace(/^libs\/(\w+)\/(gen|dist)\//, "vendor/$1/");
  if (existsSync(join(into, target))) return target;
  for (const [from, to] of [
    [source, target],
    [source.replace(/\.js$/, ".d.ts"), target.replace(/\.js$/, ".d.ts")],
  ] as const) {
    const text = readFileSync(join(ROOT, from), "utf8");
    // It stands there before its imports are followed: they may lead back to it.
    write(join(into, to), "");
    write(join(into, to), vendored(text, to, into));
    for (const [, imported, loaded] of text.matchAll(RELATIVE)) {
      const next = imported ?? loaded ?? "";
      if (next.endsWith(".js")) copyOnce(relative(ROOT, resolve(ROOT, dirname(from), next)), into);
    }
  }
  return target;
}

/** The sources that a map names are not part of the package. */
function withoutMap(text: string): string {
  return text.replace(/^\/\/# sourceMappingURL=.*$\n?/m, "");
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
