import { toJson } from "@bufbuild/protobuf";
import { type Issue, IssueSchema, type Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { parseWorkflow, plan } from "@odg/workflow";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printError, printJson, say } from "./output.ts";
import { issueText, placeIssues, readText, rejectIssues } from "./workflow-source.ts";

/** Checks files of workflows: here, or with `--engine` also against that engine's experts. Answers the exit code. */
export async function validate(files: string[], flags: EngineFlags & { experts?: boolean }): Promise<number> {
  const results: { file: string; issues: Issue[] }[] = [];
  for (const file of files) results.push({ file, issues: await issuesOf(file, flags) });
  if (flags.json) {
    printJson(
      results.map(({ file, issues }) => ({
        file,
        valid: issues.length === 0,
        issues: issues.map((one) => toJson(IssueSchema, one)),
      })),
    );
  } else {
    for (const { file, issues } of results) {
      if (issues.length === 0) printData(`✔ ${file}`);
      else if (issues.length === 1) printError(rejectIssues(issues, file), false);
      else {
        say(`✖ ${file}: ${issues.length} problems`);
        for (const issue of issues) say(`  ${issueText(issue, file)}`);
      }
    }
  }
  return results.every(({ issues }) => issues.length === 0) ? EXIT.ok : EXIT.validation;
}

async function issuesOf(file: string, flags: EngineFlags & { experts?: boolean }): Promise<Issue[]> {
  const parsed = parseWorkflow(await readText(file), file);
  if (parsed.issues) return parsed.issues;
  const found = flags.engine || flags.experts ? await askEngine(parsed.workflow, flags) : plan(parsed.workflow).issues;
  return placeIssues(found ?? [], parsed.locate);
}

async function askEngine(workflow: Workflow, flags: EngineFlags): Promise<Issue[]> {
  const { client, close } = await connect(flags);
  try {
    return (await client.workflows.validateWorkflow({ workflow })).issues;
  } finally {
    await close();
  }
}
