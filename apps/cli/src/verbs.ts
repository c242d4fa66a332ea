import { Command } from "commander";
import { version } from "./config.ts";

/** The command, to which the verbs are added. */
export const program = new Command("odg")
  .description("Runs workflows of data-governance experts over your data.")
  .version(version())
  .showHelpAfterError("(odg --help shows what there is)")
  .exitOverride();

/** Whether the verb that was called gives its data, and its errors, as JSON. */
export const wanted = { json: false };

/** Collects a flag that may be repeated. */
export const several = (value: string, before: string[]): string[] => [...before, value];

/** Adds a verb, or one of a group. */
export function verb(name: string, description: string, group: Command = program): Command {
  return group.command(name).description(description).exitOverride();
}

/** A verb that needs an engine, with the flags of them all. */
export function engineVerb(name: string, description: string, group?: Command): Command {
  return verb(name, description, group)
    .option("--engine <url>", "talk to a running engine instead of one in this process")
    .option("--user <name>", name === "runs" ? "only runs of this user" : "who asks; your login name where absent")
    .option("--json", "data and errors as JSON")
    .option("-q, --quiet", "no progress");
}

/** The action of a verb: its answer is the exit code. */
export function act<A extends unknown[]>(work: (...args: A) => Promise<number>) {
  return async (...args: A): Promise<void> => {
    wanted.json = args.some((one) => one !== null && typeof one === "object" && "json" in one && one.json === true);
    process.exitCode = await work(...args);
  };
}
