import { act, engineVerb, program, verb } from "./verbs.ts";

/** `odg expert …` */
export function addExpertVerbs(): void {
  const expert = program.command("expert").description("experts of an engine");
  engineVerb("list", "list the experts", expert)
    .option("--capability <name>", "only experts with this capability")
    .action(act(async (flags) => (await import("./expert-list.ts")).expertList(flags)));
  verb("new <folder>", "make the package of a new expert, with tests that pass", expert)
    .option("--api <version>", "the @odg/expert-plugin-api to make it for: a version, or the path of a tarball")
    .action(act(async (folder: string, flags) => (await import("./expert-new.ts")).expertNew(folder, flags)));
  verb("test [subject]", "run the conformance kit on the package in a folder, or on an expert served at a URL", expert)
    .option("--placement <where>", "for a folder: module (in this process) or process", "module")
    .option("--samples <file>", "the calls that must succeed; odg.samples.json beside package.json where absent")
    .option("--token <token>", "for a URL: what the expert wants as its bearer token")
    .option("--host-port <port>", "for a URL: where the expert was told to find its host", "50052")
    .action(act(async (subject, flags) => (await import("./expert-test.ts")).expertTest(subject ?? ".", flags)));
  verb("sign [folder]", "sign the package in a folder as its publisher, with an Ed25519 key", expert)
    .requiredOption("--key <file>", "the private key, in PEM")
    .requiredOption("--publisher <name>", "the publisher, by the name under which engines know the key")
    .option("--json", "data and errors as JSON")
    .action(act(async (folder, flags) => (await import("./expert-sign.ts")).expertSign(folder ?? ".", flags)));
  verb("verify [folder]", "check the signature of the package in a folder; exit code 4 where it does not hold", expert)
    .requiredOption("--key <file>", "the public key, in PEM")
    .requiredOption("--publisher <name>", "the publisher")
    .option("--published", "also refuse files that were not signed, as an engine does with what is installed")
    .option("--json", "data and errors as JSON")
    .action(act(async (folder, flags) => (await import("./expert-sign.ts")).expertVerify(folder ?? ".", flags)));
  engineVerb("register <spec>", "place an expert while the engine runs", expert).action(
    act(async (spec: string, flags) => (await import("./expert-admit.ts")).expertRegister(spec, flags)),
  );
  engineVerb("approve <package> <version>", "grant the wider permissions of a package", expert)
    .option("--digest <hash>", "only where the pending package has this digest")
    .action(
      act(async (name: string, version: string, flags) =>
        (await import("./expert-admit.ts")).expertApprove(name, version, flags),
      ),
    );
  engineVerb("restart <expert>", "start the quarantined processes of an expert", expert).action(
    act(async (id: string, flags) => (await import("./expert-admit.ts")).expertRestart(id, flags)),
  );
}
