import { createHash } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Report } from "@odg/proto/odg/run/v1/run_pb";
import { viewDataset } from "./dataset-view.ts";
import { groupFindings } from "./finding-view.ts";
import { datasetSection } from "./html-dataset.ts";
import { findingsSection } from "./html-findings.ts";
import { headSection } from "./html-head.ts";
import { appendixSection, contextSection, graphSection, tasksSection } from "./html-run.ts";
import { Markup, markup } from "./markup.ts";
import { viewRun } from "./run-view.ts";
import { STYLESHEET } from "./stylesheet.ts";

/** Nothing is loaded and nothing is run; the one style sheet is named by its hash, so that no injected style counts. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLESHEET).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * The report as one HTML file that needs no other: no script, no request, its own styles for light, dark, narrow
 * screens and paper. Every text of data, experts and models is escaped. Equal reports give equal files.
 */
export function renderHtml(report: Report): string {
  const run = viewRun(report);
  const datasets = report.profiles.map(viewDataset);
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
<title>${[run.mark.icon, run.title, ...datasets.map(({ name }) => name)].join(" · ")}</title>
<style>${new Markup(STYLESHEET)}</style></head>
<body><a class="skip" href="#findings">To the findings</a>
<header class="top">${headSection(run, report)}
<nav aria-label="Sections"><ul>${sections(report).map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>`)}</ul></nav></header>
<main>${graphSection(run.tasks)}
${findingsSection(groupFindings(report))}
${datasets.map(datasetSection)}
${tasksSection(run, length(report))}
${contextSection(report.context)}
${appendixSection(report)}</main>
<footer>Every finding names its evidence. Values of withheld columns never leave the worker that reads them.</footer></body></html>
`;
  return page.toString();
}

function sections(report: Report): [string, string][] {
  return [
    ["graph", "Graph"],
    ["findings", "Findings"],
    ...(report.profiles.length > 0 ? [["dataset-0", "Data"] as [string, string]] : []),
    ["tasks", "Timeline"],
    ...(report.context.length > 0 ? [["context", "Shared context"] as [string, string]] : []),
    ["about", "About this run"],
  ];
}

/** Milliseconds from the begin of the run to its end; 0 while it is under way. */
function length({ run }: Report): number {
  if (run?.createTime === undefined || run.endTime === undefined) return 0;
  return timestampMs(run.endTime) - timestampMs(run.createTime);
}
