/** The boundaries of ARCHITECTURE.md as data: who may import whom, and which file may do what. */

export interface PackageRule {
  /** Folder of the package; `*` stands for one name. */
  readonly folder: string;
  /** The workspace packages it may import, by name. */
  readonly mayImport: readonly string[];
}

const PROTO = "@odg/proto";
const WORKFLOW = "@odg/workflow";
const RPC = "@odg/rpc";
const CLIENT = "@odg/client";
const PLUGIN_API = "@odg/expert-plugin-api";
const ENGINE = "@odg/engine";
const SCAFFOLD = "create-odg-expert";

/** One row per kind of package; a folder that no row names is a fault of its own. */
export const PACKAGE_RULES: readonly PackageRule[] = [
  { folder: "libs/proto", mayImport: [] },
  { folder: "libs/workflow", mayImport: [PROTO] },
  { folder: "libs/rpc", mayImport: [PROTO] },
  { folder: "libs/client", mayImport: [PROTO, RPC] },
  { folder: "libs/expert-plugin-api", mayImport: [PROTO, RPC] },
  { folder: "plugins/*", mayImport: [PLUGIN_API] },
  { folder: "apps/engine", mayImport: [PROTO, WORKFLOW, RPC, PLUGIN_API] },
  { folder: "apps/gateway", mayImport: [PROTO, RPC, CLIENT] },
  { folder: "apps/console", mayImport: [PROTO, RPC, CLIENT, WORKFLOW] },
  { folder: "apps/cli", mayImport: [PROTO, RPC, CLIENT, WORKFLOW, ENGINE, PLUGIN_API, SCAFFOLD] },
  { folder: "tools/*", mayImport: [] },
  // The root package: tools/*.ts and tests/, which look at everything.
  { folder: ".", mayImport: [PROTO, WORKFLOW, RPC, CLIENT, PLUGIN_API, ENGINE] },
];

/** What a file can do that only some files may. */
export type Use = "environment" | "network" | "connect error" | "node module" | "clock" | "randomness";

export interface UseRule {
  readonly use: Use;
  /** Where the rule holds; everywhere when absent. */
  readonly only?: RegExp;
  /** Files, by path, in which it is allowed all the same. */
  readonly except: RegExp;
  readonly why: string;
  readonly instead: string;
}

/** Tests, and the tools and servers around them, may do all that is needed to test from outside. */
const TEST = String.raw`\.test\.tsx?$|^tests/|^(libs|apps|plugins)/[^/]+/test/|^apps/[^/]+/src/(.+/)?testing/`;
const allowed = (...more: string[]): RegExp => new RegExp([TEST, "^tools/", ...more].join("|"));

const CORE = /^libs\/workflow\//;

export const USE_RULES: readonly UseRule[] = [
  {
    use: "environment",
    // A launcher hands its whole environment on to the process it starts.
    except: allowed(String.raw`^apps/[^/]+/src/config\.ts$`, "^apps/[^/]+/bin/"),
    why: "reads process.env",
    instead: "take the value as an option and read the variable in the app's config.ts",
  },
  {
    use: "network",
    except: allowed(
      "^libs/rpc/src/",
      String.raw`^libs/expert-plugin-api/src/(serve|parent-watch)\.ts$`,
      "^apps/gateway/src/",
      "^apps/engine/src/model/",
      "^apps/engine/src/(expert/placement|expert/remote|bus|cache|knowledge|policy|store|telemetry)",
    ),
    why: "opens a network connection of its own",
    instead: "use a server or transport of @odg/rpc, or put it into one of the adapters in tools/boundaries/rules.ts",
  },
  {
    use: "connect error",
    except: allowed("^libs/rpc/"),
    why: "builds a ConnectError",
    instead: "call reject(Reason, details) of @odg/rpc, so that every error has a row in the one table",
  },
  {
    use: "node module",
    only: CORE,
    except: allowed(),
    why: "is a module of Node in the pure core",
    instead: "let the caller do the IO and pass in what it read",
  },
  {
    use: "clock",
    only: CORE,
    except: allowed(),
    why: "reads the clock in the pure core",
    instead: "let times arrive in events",
  },
  {
    use: "randomness",
    only: CORE,
    except: allowed(),
    why: "is random in the pure core",
    instead: "let random values arrive as arguments",
  },
];

/** Modules of Node that open connections. */
export const NETWORK_MODULES: ReadonlySet<string> = new Set(
  ["net", "http", "https", "http2", "tls", "dgram", "dns", "dns/promises"].map((name) => `node:${name}`),
);

/** The files outside its own package that a test may import by path. */
export const SHARED_WITH_TESTS: readonly string[] = [
  "tools/services/endpoints.ts",
  "tools/model-simulator/src/simulator.ts",
];

const TEST_PATH = new RegExp(TEST);

/** Whether a file is part of the tests, so that the root's devDependencies are its own. */
export function isTest(path: string): boolean {
  return TEST_PATH.test(path);
}
