/**
 * What an expert's process may reach, in a process that Node's permission model holds already: loaded before the expert, in its main
 * thread and in each of its workers. What is allowed stands in this module's own URL: `?allow=<JSON of Reach>`.
 *
 * Every socket of Node comes by `net.Socket.prototype.connect`, also those of tls, http, http2 and fetch, and every name by `dns`. It
 * imports nothing but Node's own modules, and takes what it needs of them before the expert's code can change it.
 */
import dgram from "node:dgram";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import workers from "node:worker_threads";

/** What a process may reach. */
export interface Reach {
  /** As `odg.permissions.hosts`. */
  readonly hosts: readonly string[];
  /** Sockets to connect to: the engine's. */
  readonly connect: readonly string[];
  /** Sockets to listen on: its own. */
  readonly listen: readonly string[];
}

type Operation = (this: unknown, ...args: unknown[]) => unknown;

const { apply, construct } = Reflect;
const { defineProperty, entries, freeze } = Object;

class Denied extends Error {
  readonly code = "ERR_ACCESS_DENIED";
  constructor(what: string) {
    super(`${what} ("odg": { "permissions": … } of its package.json says what it may)`);
  }
}

/** Whether an entry of `hosts` means a host: equal names, or one under `*.`, at any port where it names none. */
export function reaches(entry: string, host: string, port: number | undefined): boolean {
  const [, bracketed, plain = "", wanted] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  if (wanted !== undefined && port !== undefined && Number(wanted) !== port) return false;
  const name = (bracketed ?? plain).toLowerCase();
  const asked = host.toLowerCase().replace(/^\[|\]$|\.$/g, "");
  return name.startsWith("*.") ? asked.endsWith(name.slice(1)) && asked.length > name.length - 1 : asked === name;
}

const allow = new URL(import.meta.url).searchParams.get("allow");
if (allow !== null) guard(freeze(JSON.parse(allow) as Reach));

function guard({ hosts, connect, listen }: Reach): void {
  const allowed = [...hosts];
  const check = (host: unknown, port?: number) => {
    const name = nameOf(host);
    for (const entry of allowed) if (reaches(entry, name, port)) return;
    throw new Denied(`this expert may not connect to ${name}${port === undefined ? "" : `:${port}`}`);
  };
  guardSockets(check, { connect: [...connect], listen: [...listen] });
  guardNames(check);
  refuse(dgram, "createSocket", "datagrams are not for experts");
  refuse(dgram, "Socket", "datagrams are not for experts");
  guardSignals();
  guardWorkers();
  syncBuiltinESMExports();
}

function nameOf(host: unknown): string {
  return typeof host === "string" && host !== "" ? host : "localhost";
}

type Check = (host: unknown, port?: number) => void;

function guardSockets(check: Check, paths: { connect: string[]; listen: string[] }): void {
  const { Socket, Server } = net;
  const connectAny = Socket.prototype.connect as Operation;
  replace(Socket.prototype, "connect", function (this: unknown, ...args) {
    // An array is what Node's own `net.connect` hands over.
    const given = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
    const options = optionsOf(given);
    if (typeof options.path === "string") {
      if (!paths.connect.includes(options.path)) throw new Denied("this expert may not connect to that socket");
    } else {
      // As what was checked, whatever else the value would turn into.
      options.port = Number(options.port);
      options.host = nameOf(options.host);
      check(options.host, Number(options.port));
    }
    // A lookup of the caller's own could lead an allowed name to any address.
    delete options.lookup;
    const callback = given.findLast((one) => typeof one === "function");
    return apply(connectAny, this, callback ? [options, callback] : [options]);
  });
  const listenAny = Server.prototype.listen as Operation;
  replace(Server.prototype, "listen", function (this: unknown, ...args) {
    const options = optionsOf(args);
    if (typeof options.path !== "string" || !paths.listen.includes(options.path))
      throw new Denied("this expert may not listen there");
    const callback = args.findLast((one) => typeof one === "function");
    return apply(listenAny, this, callback ? [{ path: options.path }, callback] : [{ path: options.path }]);
  });
}

/** `(port, host?)`, `(path)` or `(options)`, as a copy that nobody else holds. */
function optionsOf([first, second]: readonly unknown[]): Record<string, unknown> {
  if (typeof first === "object" && first !== null) return { ...first };
  if (typeof first === "string" && Number.isNaN(Number(first))) return { path: first };
  return { port: first, host: typeof second === "string" ? second : undefined };
}

/** To ask for a name is to tell it to whoever answers for it. */
function guardNames(check: Check): void {
  for (const subject of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
    for (const [name, operation] of operationsOf(subject)) {
      if (!/^(lookup|resolve|reverse)/.test(name)) continue;
      replace(subject, name, function (this: unknown, ...args) {
        check(args[0]);
        return apply(operation, this, args);
      });
    }
  }
}

/** Methods of a module or a prototype, with those that it inherits. */
function operationsOf(subject: object): [string, Operation][] {
  const found = new Map<string, Operation>();
  for (let one: object = subject; one && one !== Object.prototype; one = Object.getPrototypeOf(one) as object) {
    for (const name of Object.getOwnPropertyNames(one)) {
      const { value } = Object.getOwnPropertyDescriptor(one, name) ?? {};
      if (typeof value === "function" && !found.has(name)) found.set(name, value as Operation);
    }
  }
  return [...found];
}

/** `process.kill` comes by this. A process may end itself and its group; the engine's user has others. */
function guardSignals(): void {
  const { pid } = process;
  const signal = (process as unknown as { _kill: Operation })._kill;
  replace(process, "_kill", function (this: unknown, ...args) {
    const target = Number(args[0]);
    if (target !== pid && target !== -pid) throw new Denied("this expert may not send signals to other processes");
    return apply(signal, process, [target, args[1]]);
  });
}

/** A thread with options of its own for Node would be without this guard, and without Node's. */
function guardWorkers(): void {
  const { Worker } = workers;
  const guarded = new Proxy(Worker, {
    construct(target, [file, options = {}]: unknown[], made) {
      const { execArgv: _, env, ...own } = options as { execArgv?: unknown; env?: unknown; eval?: unknown };
      // Node starts what it is given as text before it loads this guard.
      if (own.eval) throw new Denied("the worker of an expert is a file");
      return construct(target, [file, { ...own, ...plainEnvironment(env) }], made) as object;
    },
  });
  defineProperty(Worker.prototype, "constructor", { value: guarded, writable: false, configurable: false });
  defineProperty(workers, "Worker", { value: guarded, enumerable: true, writable: false, configurable: false });
}

function plainEnvironment(env: unknown): { env?: unknown } {
  if (typeof env !== "object" || env === null) return typeof env === "symbol" ? { env } : {};
  return { env: Object.fromEntries(entries(env).filter(([name]) => name !== "NODE_OPTIONS")) };
}

function refuse(subject: object, name: string, why: string): void {
  replace(subject, name, () => {
    throw new Denied(why);
  });
}

function replace(subject: object, name: string, value: Operation): void {
  defineProperty(subject, name, { value, enumerable: true, writable: false, configurable: false });
}
