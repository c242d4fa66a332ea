import { asksForAction, type EvidenceView, type FindingGroup, type FindingView } from "./finding-view.ts";
import { type Markup, markup } from "./markup.ts";
import { formatCount } from "./quantity.ts";

/** Findings of one severity that the page holds; the JSON report has them all. */
const SHOWN = 400;

/** The findings by severity, with a choice of one severity above them. */
export function findingsSection(groups: readonly FindingGroup[]): Markup {
  if (groups.length === 0) {
    return markup`<section id="findings" aria-labelledby="findings-title"><h2 id="findings-title">Findings</h2><p>The experts had nothing to report.</p></section>`;
  }
  return markup`<section id="findings" aria-labelledby="findings-title"><h2 id="findings-title">Findings</h2>
${groups.length > 1 && filter(groups)}${groups.map(group)}</section>`;
}

function filter(groups: readonly FindingGroup[]): Markup {
  const total = groups.reduce((sum, { findings }) => sum + findings.length, 0);
  const choices = groups.map(({ mark, findings }) =>
    choice(mark.tone, `${mark.icon} ${mark.word} ${formatCount(findings.length)}`, false),
  );
  return markup`<fieldset><legend>Show</legend>${choice("all", `All ${formatCount(total)}`, true)}${choices}</fieldset>`;
}

function choice(tone: string, text: string, checked: boolean): Markup {
  return markup`<label class="tone-${tone === "all" ? "idle" : tone}"><input type="radio" name="only" id="only-${tone}"${checked && markup` checked`}><span class="badge">${text}</span></label>`;
}

function group({ mark, severity, findings }: FindingGroup): Markup {
  const shown = findings.slice(0, SHOWN);
  const rest = findings.length - shown.length;
  return markup`<section class="group tone-${mark.tone}" aria-labelledby="group-${mark.tone}">
<h3 id="group-${mark.tone}"><span aria-hidden="true">${mark.icon}</span> ${mark.word} <span class="dim">${formatCount(findings.length)}</span></h3>
${shown.map(asksForAction(severity) ? inFull : inBrief)}
${rest > 0 && markup`<p class="dim">… and ${formatCount(rest)} more: the JSON report has them all.</p>`}</section>`;
}

function inFull(finding: FindingView): Markup {
  const { mark, subjectKind, subjectName, rule, reason } = finding;
  return markup`<article class="finding tone-${mark.tone}">
<header><h4>${subjectKind !== "" && markup`<span>${subjectKind}</span> `}${subjectName || rule}</h4><code>${rule}</code></header>
<p class="reason">${reason}</p>${proof(finding)}
${finding.remedy !== "" && markup`<p class="remedy"><strong>What to do:</strong> ${finding.remedy}</p>`}
${origin(finding)}</article>`;
}

function inBrief(finding: FindingView): Markup {
  const { mark, subjectName, reason } = finding;
  return markup`<details class="brief tone-${mark.tone}"><summary><span class="icon" aria-hidden="true">${mark.icon}</span> ${subjectName !== "" && markup`<strong>${subjectName}</strong> `}<span>${reason}</span></summary>
<div class="inside">${proof(finding)}${finding.remedy !== "" && markup`<p class="remedy"><strong>What to do:</strong> ${finding.remedy}</p>`}${origin(finding, finding.rule)}</div></details>`;
}

function proof({ evidence }: FindingView): Markup | undefined {
  if (evidence.length === 0) return undefined;
  return markup`<ul class="evidence" aria-label="Evidence">${evidence.map(evidenceItem)}</ul>`;
}

function evidenceItem({ label, text, quantity, place }: EvidenceView): Markup {
  const value = text !== "" && quantity !== "" ? `${text} (${quantity})` : text || quantity;
  return markup`<li>${label !== "" && markup`<span class="label">${label}</span>`}${value !== "" && markup`<span class="value">${value}</span>`}${place !== "" && markup`<code>${place}</code>`}</li>`;
}

/** @param rule where the finding does not show it already */
function origin(finding: FindingView, rule = ""): Markup {
  const level = Math.round(Math.min(1, Math.max(0, finding.confidence || 0)) * 60);
  const meter = markup`<svg width="60" height="8" aria-hidden="true"><rect class="meter" width="60" height="8" rx="4"/><rect class="level" width="${level}" height="8" rx="4"/></svg>`;
  return markup`<p class="origin"><span class="source${finding.fromModel && " model"}">${finding.fromModel ? badgeText(finding.source) : "Analyzer"}</span><span>${meter}confidence ${finding.confidenceText}</span><span>${finding.expert}</span><span>task ${finding.taskId}</span>${rule !== "" && markup`<code>${rule}</code>`}</p>`;
}

function badgeText(source: string): string {
  return source.charAt(0).toUpperCase() + source.slice(1);
}
