import { act, engineVerb, program } from "./verbs.ts";

/** `odg workflow …` */
export function addWorkflowVerbs(): void {
  const workflow = program.command("workflow").description("published workflows, their versions and drafts");
  engineVerb("publish <files...>", "make workflows known under their ids", workflow).action(
    act(async (files: string[], flags) => (await import("./workflows.ts")).publish(files, flags)),
  );
  paged(engineVerb("list", "list the newest version of every workflow", workflow)).action(
    act(async (flags) => (await import("./workflows.ts")).list(flags)),
  );
  engineVerb("show <id> [version]", "print a definition, as a file would hold it", workflow).action(
    act(async (id: string, version, flags) => (await import("./workflows.ts")).show(id, version ?? "", flags)),
  );
  paged(engineVerb("versions <id>", "list the versions of a workflow, newest first", workflow)).action(
    act(async (id: string, flags) => (await import("./workflows.ts")).versions(id, flags)),
  );
  engineVerb("diff <id> [from] [to]", "show what differs: the newest version and the one before it", workflow).action(
    act(async (id: string, from, to, flags) =>
      (await import("./workflows.ts")).diff(id, { from: from ?? "", to: to ?? "" }, flags),
    ),
  );
  engineVerb("deprecate <id> <version>", "mark a version that should not be used any more", workflow)
    .option("--reason <text>", "why, for people")
    .option("--undo", "take the mark away")
    .action(
      act(async (id: string, version: string, flags) => (await import("./workflows.ts")).deprecate(id, version, flags)),
    );
  const draft = workflow.command("draft").description("workflows that are not finished");
  engineVerb("save <file>", "keep the workflow of a file as its draft, sound or not", draft)
    .option("--etag <etag>", "of the draft that it replaces; none where there is none yet")
    .action(act(async (file: string, flags) => (await import("./workflows.ts")).draftSave(file, flags)));
  engineVerb("show <id>", "print a draft, as a file would hold it", draft).action(
    act(async (id: string, flags) => (await import("./workflows.ts")).draftShow(id, flags)),
  );
  engineVerb("delete <id>", "throw a draft away", draft)
    .option("--etag <etag>", "only where the draft has still this etag")
    .action(act(async (id: string, flags) => (await import("./workflows.ts")).draftDelete(id, flags)));
}

function paged(command: ReturnType<typeof engineVerb>): ReturnType<typeof engineVerb> {
  return command.option("--limit <n>", "how many", "50").option("--page-token <token>", "where the page before ended");
}
