import { create } from "@bufbuild/protobuf";
import { ReportSchema, TaskStateSchema, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import fc from "fast-check";
import { type DefaultTreeAdapterTypes, parse, html as parser } from "parse5";
import { describe, expect, it } from "vitest";
import { assembleReport } from "./assemble.ts";
import { renderHtml } from "./html.ts";
import { failedInput, hostileReport, onboardingInput, onboardingReport } from "./testing/fixture.ts";

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

function elements(source: string): Element[] {
  const found: Element[] = [];
  const visit = (node: Node): void => {
    if ("tagName" in node) found.push(node);
    if ("childNodes" in node) node.childNodes.forEach(visit);
  };
  visit(parse(source));
  return found;
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((each) => each.name === name)?.value;
}

function textOf(node: Node): string {
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}

function withId(source: string, id: string): string {
  const element = elements(source).find((each) => attribute(each, "id") === id);
  return element === undefined ? "" : textOf(element).replace(/\s+/gu, " ");
}

/** Tag, attribute names and, but for texts meant to be read, nothing else: what a document is made of. */
function skeleton(source: string): string[] {
  return elements(source).map(({ tagName, attrs }) => [tagName, ...attrs.map(({ name }) => name)].join(" "));
}

/** Everything by which a document could run, load or lead out. */
function dangers(source: string): string[] {
  const allowed = /^(#[\w-]+|data:,)$/u;
  return elements(source).flatMap(({ tagName, attrs, namespaceURI }) => [
    ...(["script", "iframe", "object", "embed", "img", "form", "base", "foreignObject"].includes(tagName)
      ? [tagName]
      : []),
    ...(namespaceURI === parser.NS.MATHML ? [tagName] : []),
    ...attrs.filter(({ name }) => /^on/iu.test(name) || name === "style").map(({ name }) => name),
    ...attrs
      .filter(({ name, value }) => /^(href|src|srcset|action|xlink:href)$/u.test(name) && !allowed.test(value))
      .map(({ value }) => value),
  ]);
}

describe("renderHtml", () => {
  it("says first how the run ended, what must be mended, and one line per task", () => {
    const source = renderHtml(onboardingReport());
    const text = elements(source).filter(({ tagName }) => tagName === "header")[0]!;
    const head = textOf(text).replace(/\s+/gu, " ");
    expect(head).toContain("onboard_dataset✔ Succeeded");
    expect(head).toContain("1 critical and 4 errors to mend, 6 warnings to look at.");
    expect(head).toContain("3 PII fields require masking: email, phone, ssn");
    expect(head).toContain("200,000 rows × 15 columns");
  });

  it("names what failed, why and what to do before the headlines", () => {
    const source = renderHtml(assembleReport(failedInput()));
    expect(source).toContain("security_scan failed after 3 attempts");
    expect(source.indexOf("What to do:</strong> Write the file again")).toBeLessThan(
      source.indexOf('class="headlines"'),
    );
    expect(withId(source, "task-3")).toContain("⊘ Skipped");
  });

  it("shows each finding with evidence, remedy, confidence and who spoke", () => {
    const findings = withId(renderHtml(onboardingReport()), "findings");
    expect(findings).toContain("SQLSELECT c.*build_customer_transactions.sql:3");
    expect(findings).toContain("What to do: Write currency codes in capitals at the source.");
    expect(findings).toContain("Model claude-opus-4.6");
    expect(findings).toContain("Analyzer");
    expect(findings).toContain("confidence 72%");
  });

  it("draws the graph of the tasks, each linked to its row, and marks the critical path", () => {
    const all = elements(renderHtml(onboardingReport()));
    const links = all.filter((each) => each.tagName === "a").map((each) => attribute(each, "href"));
    expect(links).toEqual(expect.arrayContaining(["#task-0", "#task-1", "#task-2", "#task-3", "#task-4", "#task-5"]));
    const edges = all
      .map((each) => attribute(each, "class"))
      .filter((name) => /^edge (plain|critical)$/u.test(name ?? ""));
    // Five edges; two of them critical, and one more in the legend.
    expect(edges.sort()).toEqual([
      "edge critical",
      "edge critical",
      "edge critical",
      "edge plain",
      "edge plain",
      "edge plain",
    ]);
  });

  it("draws queue time apart from run time, and says both in words", () => {
    const source = renderHtml(onboardingReport());
    expect(withId(source, "timeline-desc")).toContain("lineage_mapping: waited 524 ms, ran 285 ms.");
    expect(source.match(/class="wait"/gu)).toHaveLength(7);
    expect(source.match(/class="ran"/gu)).toHaveLength(8);
  });

  it("draws a chart of every column that says what it shows, and no value of a withheld one", () => {
    const input = onboardingInput();
    const email = input.profiles[0]!.columns.find(({ name }) => name === "email")!;
    Object.assign(email, { min: "aaron@example.org", max: "zoe@example.org" });
    email.topValues = [{ ...input.profiles[0]!.columns[9]!.topValues[0]!, value: "ann@example.org" }];
    const source = renderHtml(assembleReport(input));
    const charts = elements(source).filter((each) => attribute(each, "class") === "chart");
    expect(charts).toHaveLength(15);
    expect(charts.every((each) => attribute(each, "role") === "img" && textOf(each) !== "")).toBe(true);
    expect(source).toContain("Values withheld: e-mail addresses");
    expect(source).not.toContain("@example.org");
  });

  it("points every reference within the document at something that is there, once", () => {
    for (const report of [onboardingReport(), assembleReport(failedInput()), hostileReport()]) {
      const all = elements(renderHtml(report));
      const ids = all.flatMap((each) => attribute(each, "id") ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      const wanted = all.flatMap((each) => [
        ...(attribute(each, "href")?.match(/(?<=^#).+/u) ?? []),
        ...(attribute(each, "aria-labelledby")?.split(" ") ?? []),
        ...(/(?<=url\(#)[\w-]+/u.exec(attribute(each, "marker-end") ?? attribute(each, "clip-path") ?? "") ?? []),
      ]);
      expect(wanted.filter((id) => !ids.includes(id))).toEqual([]);
    }
  });

  it("lets no text run, load or lead anywhere", () => {
    for (const report of [onboardingReport(), hostileReport()]) expect(dangers(renderHtml(report))).toEqual([]);
  });

  it("forbids by its policy whatever it does not hold itself", () => {
    const policy = /Content-Security-Policy" content="([^"]+)"/u.exec(renderHtml(onboardingReport()))![1]!;
    expect(policy).toContain("default-src &#39;none&#39;");
    expect(policy).not.toContain("unsafe");
    expect(policy).not.toContain("script-src");
  });

  it("keeps the same elements and attributes whatever a name is", () => {
    const rendered = (name: string): string[] => {
      const input = onboardingInput();
      Object.assign(input.profiles[0]!.columns[0]!, { name, type: name });
      Object.assign(input.findings[0]!.finding, { reason: `x${name}`, ruleId: `x${name}` });
      Object.assign(input.run.tasks[1]!, { taskId: input.run.tasks[1]!.taskId, expert: `x${name}`, action: name });
      return skeleton(renderHtml(assembleReport(input)));
    };
    const expected = rendered("name");
    const part = fc.constantFrom(
      "<",
      ">",
      '"',
      "'",
      "`",
      "&",
      "&#60;",
      "script",
      "</style>",
      "<!--",
      "]]>",
      "=",
      " on",
      "\u0000",
      "x",
    );
    const name = fc.array(part, { minLength: 1, maxLength: 10 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(name, (each) => {
        expect(rendered(each)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it("gives equal files for equal reports", () => {
    expect(renderHtml(onboardingReport())).toBe(renderHtml(onboardingReport()));
  });

  it("lists the tasks of a large run without drawing them", () => {
    const input = onboardingInput();
    const tasks = Array.from({ length: 500 }, (_, place) =>
      create(TaskStateSchema, { taskId: `task${place}`, status: TaskStatus.SUCCEEDED }),
    );
    input.run.tasks = tasks;
    const source = renderHtml(assembleReport(input));
    expect(source).toContain("500 tasks are too many to draw");
    expect(withId(source, "task-499")).toContain("task499");
  });

  it("renders a run that has only begun, and an empty report", () => {
    const input = onboardingInput();
    input.run.endTime = undefined;
    input.run.tasks = [
      create(TaskStateSchema, { ...input.run.tasks[0]!, status: TaskStatus.RUNNING, endTime: undefined }),
      create(TaskStateSchema, { taskId: "quality_validation", status: TaskStatus.PENDING }),
    ];
    const source = renderHtml(assembleReport({ ...input, findings: [], profiles: [], context: [] }));
    expect(withId(source, "about")).toContain("Endedunder way");
    expect(source).not.toMatch(/NaN|undefined|Infinity/u);
    expect(renderHtml(create(ReportSchema))).not.toMatch(/NaN|undefined|Infinity/u);
  });
});
