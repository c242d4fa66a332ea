// The package.json of a published package: the workspace's, without what only the workspace understands.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

type Json = Record<string, unknown>;

const ROOT = resolve(import.meta.dirname, "../..");
const UNPUBLISHED = ["@odg/proto", "@odg/rpc"];

/** The manifest that a stranger installs by. */
export function publishedManifest(folder: string): Json {
  const { scripts: _, devDependencies: __, private: ___, ...manifest } = read(folder);
  const dependencies = dependenciesOf(manifest.dependencies as Record<string, string> | undefined, manifest);
  return {
    ...manifest,
    // By its folder, a package is found through "main" alone.
    ...("." in ((manifest.exports ?? {}) as Json) ? { main: "./dist/index.js", types: "./dist/index.d.ts" } : {}),
    exports: withoutSources(manifest.exports),
    ...(dependencies ? { dependencies } : {}),
  };
}

/** The dependencies of unpublished packages become the package's own, unless they are its peers. */
function dependenciesOf(own: Record<string, string> = {}, { peerDependencies = {} }: Json) {
  const all: Record<string, string> = {};
  for (const [name, version] of Object.entries(own)) {
    if (!UNPUBLISHED.includes(name)) all[name] = version;
    else Object.assign(all, dependenciesOf(read(`libs/${name.slice("@odg/".length)}`).dependencies as typeof own, {}));
  }
  for (const peer of Object.keys(peerDependencies as Json)) delete all[peer];
  return Object.keys(all).length > 0 ? all : undefined;
}

function withoutSources(exported: unknown): unknown {
  if (typeof exported !== "object" || exported === null) return exported;
  const kept = Object.entries(exported).filter(([condition]) => condition !== "@odg/source");
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutSources(value)]));
}

function read(folder: string): Json {
  return JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Json;
}
