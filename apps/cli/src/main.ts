import { Command, CommanderError } from "commander";
import { version } from "./config.ts";

// Verbs, and whatever they need, are loaded when they are called: --version and --help stay quick.
const program = new Command("odg")
  .description("Runs workflows of data-governance experts over your data.")
  .version(version())
  .showHelpAfterError("(odg --help shows what there is)")
  .exitOverride();

let json = false;

const several = (value: string, before: string[]) => [...before, value];

function verb(name: string, description: string): Command {
  return program.command(name).description(description);
}

function withEngine(command: Command): Command {
  return command
    .option("--engine <url>", "talk to a running engine instead of one in this process")
    .option("--json", "data and errors as JSON")
    .option("-q, --quiet", "no progress")
    .exitOverride();
}

function act<A extends unknown[]>(work: (...args: A) => Promise<number>) {
  return async (...args: A): Promise<void> => {
    json = args.some((one) => one !== null && typeof one === "object" && "json" in one && one.json === true);
    process.exitCode = await work(...args);
  };
}

withEngine(verb("run <workflow>", "run a published workflow, or the workflow in a file"))
  .option("-i, --input <key=value>", "input of the run; repeat for more", several, [] as string[])
  .option(
    "-r, --report <file>",
    "write the report: .html, .md, .json or .txt; repeat for more",
    several,
    [] as string[],
  )
  .option("--fail-on <severity>", "exit with 7 on findings of warning, error or critical and above")
  .option("--timeout <time>", "cancel the run after this time: 30s, 5m")
  .action(act(async (workflow: string, flags) => (await import("./run.ts")).run(workflow, flags)));

withEngine(verb("validate <files...>", "check files of workflows; says everything that is wrong at once"))
  .option("--experts", "also check that the experts exist")
  .action(act(async (files: string[], flags) => (await import("./validate.ts")).validate(files, flags)));

withEngine(verb("plan <workflow>", "show what a run would do")).action(
  act(async (workflow: string, flags) => (await import("./plan.ts")).planVerb(workflow, flags)),
);

withEngine(verb("runs", "list runs, newest first"))
  .option("--status <status>", "only runs that are running, succeeded, failed or cancelled")
  .option("--workflow <id>", "only runs of this workflow")
  .option("--limit <n>", "how many", "20")
  .option("--page-token <token>", "where the page before ended")
  .action(act(async (flags) => (await import("./runs.ts")).runs(flags)));

withEngine(verb("get <run>", "show one run and its report"))
  .option(
    "-r, --report <file>",
    "write the report: .html, .md, .json or .txt; repeat for more",
    several,
    [] as string[],
  )
  .action(act(async (runId: string, flags) => (await import("./get.ts")).get(runId, flags)));

const expert = program.command("expert").description("experts of an engine");
withEngine(expert.command("list").description("list the experts"))
  .option("--capability <name>", "only experts with this capability")
  .action(act(async (flags) => (await import("./expert-list.ts")).expertList(flags)));

async function fail(error: unknown): Promise<number> {
  return (await import("./report-error.ts")).reportError(error, json);
}

// Whatever slips through still ends in one clear line and an exit code, never in a stack trace.
process.once("uncaughtException", (error) => {
  fail(error).then(
    (code) => process.exit(code),
    () => process.exit(1),
  );
});

expert
  .command("new <folder>")
  .description("make the package of a new expert, with tests that pass")
  .option("--api <version>", "the @odg/expert-plugin-api to make it for: a version, or the path of a tarball")
  .exitOverride()
  .action(act(async (folder: string, flags) => (await import("./expert-new.ts")).expertNew(folder, flags)));
expert
  .command("test [subject]")
  .description("run the conformance kit on the package in a folder, or on an expert served at a URL")
  .option("--placement <where>", "for a folder: module (in this process) or process", "module")
  .option("--samples <file>", "the calls that must succeed; odg.samples.json beside package.json where absent")
  .option("--token <token>", "for a URL: what the expert wants as its bearer token")
  .option("--host-port <port>", "for a URL: where the expert was told to find its host", "50052")
  .exitOverride()
  .action(act(async (subject, flags) => (await import("./expert-test.ts")).expertTest(subject ?? ".", flags)));
expert
  .command("sign [folder]")
  .description("sign the package in a folder as its publisher, with an Ed25519 key")
  .requiredOption("--key <file>", "the private key, in PEM")
  .requiredOption("--publisher <name>", "the publisher, by the name under which engines know the key")
  .option("--json", "data and errors as JSON")
  .exitOverride()
  .action(act(async (folder, flags) => (await import("./expert-sign.ts")).expertSign(folder ?? ".", flags)));
expert
  .command("verify [folder]")
  .description("check the signature of the package in a folder; exit code 4 where it does not hold")
  .requiredOption("--key <file>", "the public key, in PEM")
  .requiredOption("--publisher <name>", "the publisher")
  .option("--published", "also refuse files that were not signed, as an engine does with what is installed")
  .option("--json", "data and errors as JSON")
  .exitOverride()
  .action(act(async (folder, flags) => (await import("./expert-sign.ts")).expertVerify(folder ?? ".", flags)));
withEngine(expert.command("register <spec>").description("place an expert while the engine runs")).action(
  act(async (spec: string, flags) => (await import("./expert-admit.ts")).expertRegister(spec, flags)),
);
withEngine(expert.command("approve <package> <version>").description("grant the wider permissions of a package"))
  .option("--digest <hash>", "only where the pending package has this digest")
  .action(
    act(async (name: string, version: string, flags) =>
      (await import("./expert-admit.ts")).expertApprove(name, version, flags),
    ),
  );
withEngine(expert.command("restart <expert>").description("start the quarantined processes of an expert")).action(
  act(async (id: string, flags) => (await import("./expert-admit.ts")).expertRestart(id, flags)),
);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = await fail(error);
}
