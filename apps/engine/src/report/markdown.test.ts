import { create } from "@bufbuild/protobuf";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { ReportSchema } from "@odg/proto/odg/run/v1/run_pb";
import fc from "fast-check";
import { lexer, type Token, type Tokens, walkTokens } from "marked";
import { describe, expect, it } from "vitest";
import { assembleReport } from "./assemble.ts";
import { renderMarkdown } from "./markdown.ts";
import { foundBy } from "./testing/findings.ts";
import { failedInput, HOSTILE, hostileReport, onboardingInput, onboardingReport } from "./testing/fixture.ts";

function tokens(source: string): Token[] {
  const all: Token[] = [];
  walkTokens(lexer(source), (token) => {
    all.push(token);
  });
  return all;
}

/** What of a document could load, lead somewhere or act. */
function live(source: string): string[] {
  const types = ["image", "link", "html", "code", "def"];
  return tokens(source)
    .filter(({ type }) => types.includes(type))
    .map(({ type, raw }) => `${type}: ${raw}`);
}

function tables(source: string): Tokens.Table[] {
  return tokens(source).filter((token): token is Tokens.Table => token.type === "table");
}

/** The onboarding with one text as the name, the reason and the evidence of a finding of each kind. */
function reportWith(text: string): string {
  const input = onboardingInput();
  const finding = (severity: Severity) => ({
    ...{ ruleId: text, severity, reason: text, remedy: text, model: text },
    ...{ subject: { kind: text, name: text }, evidence: [{ label: text, text, file: text, line: 1 }] },
  });
  const findings = foundBy("schema_analysis", text, [finding(Severity.ERROR), finding(Severity.OK)]);
  input.profiles[0]!.columns[0]!.name = text;
  input.profiles[0]!.columns[0]!.min = text;
  return renderMarkdown(assembleReport({ ...input, findings }));
}

describe("renderMarkdown", () => {
  it("tells status, headlines, findings with evidence, columns and times", () => {
    const text = renderMarkdown(onboardingReport());
    expect(text).toContain("**✔ Succeeded in 2.41 s** · ‼ 1 critical · ✖ 4 errors");
    expect(text).toContain("| ‼ Critical | `security_scan` | 3 PII fields require masking: email, phone, ssn |");
    expect(text).toContain("SQL: SELECT c.\\*, `build_customer_transactions.sql:3`");
    expect(text).toContain("| `ssn` | `VARCHAR` | 0% | ≈ 19,998 | Values withheld: national ids |");
    expect(text).toContain("2026-11-23 09:30:00 UTC");
  });

  it("names what failed, why, and what to do", () => {
    const text = renderMarkdown(assembleReport(failedInput()));
    expect(text).toContain("**✖ `security_scan`** failed after 3 attempts with `DATA_CORRUPT`");
    expect(text).toContain("What to do: Write the file again");
  });

  it("makes nothing of hostile texts live", () => {
    expect(live(renderMarkdown(hostileReport()))).toEqual([]);
  });

  it.each(Object.entries(HOSTILE))("keeps headings and tables as they are around a hostile %s", (_, text) => {
    const source = reportWith(text);
    const headings = tokens(source).filter(({ type }) => type === "heading");
    expect(headings).toHaveLength(7);
    expect(tables(source).map(({ header }) => header.length)).toEqual([3, 5, 5, 8, 5, 2]);
  });

  it("lets no mixture of active characters out of its place", () => {
    const active = fc.constantFrom(
      ..."\\`|*_[]()<>!#&~-+.1=: a@/\n$^{}\"'",
      "![x](https://e.example)",
      "\\|",
      "`|",
      "    ",
      "www.",
    );
    const text = fc.array(active, { maxLength: 14 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (mixture) => {
        const source = reportWith(mixture);
        expect(live(source)).toEqual([]);
        for (const { header, rows } of tables(source)) {
          for (const row of rows) expect(row).toHaveLength(header.length);
        }
        expect(tables(source)[1]!.rows).toHaveLength(1);
      }),
      { numRuns: 150 },
    );
  });

  it("survives an empty report", () => {
    expect(renderMarkdown(create(ReportSchema))).toContain("# run");
  });
});
