import type { Report } from "@odg/proto/odg/run/v1/run_pb";
import { type DatasetView, viewDataset } from "./dataset-view.ts";
import { type Markup, markup } from "./markup.ts";
import { plural } from "./quantity.ts";
import type { FailureView, HeadlineView, RunView } from "./run-view.ts";
import type { Mark } from "./vocabulary.ts";

/** The first screen: status, verdict, facts, what failed, and one line per task. */
export function headSection(run: RunView, report: Report): Markup {
  const datasets = report.profiles.map(viewDataset);
  return markup`<div class="card">
<p class="overline">Report${datasets.length > 0 && ` on ${datasets.map(({ name }) => name).join(", ")}`}</p>
<div class="title"><h1>${run.title}</h1>${badge(run.mark, "large")}</div>
${run.description !== "" && markup`<p class="about">${run.description}</p>`}
<p class="verdict">${verdict(run)}</p>
${run.failures.map(failure)}
<ul class="headlines" aria-label="In short">${run.headlines.map(headline)}</ul>
<dl class="facts">${facts(run, datasets)}</dl></div>`;
}

/** Icon and word of a state, in its colour. */
export function badge(mark: Mark, size: "large" | "" = ""): Markup {
  return markup`<span class="badge tone-${mark.tone}${size !== "" && ` ${size}`}"><span aria-hidden="true">${mark.icon}</span> ${mark.word}</span>`;
}

/** One sentence: what a person has to do, worst first. */
function verdict(run: RunView): string {
  const of = (...tones: string[]): string =>
    run.counts
      .filter(({ mark }) => tones.includes(mark.tone))
      .map(({ text }) => text)
      .join(" and ");
  const mend = of("critical", "error");
  const look = of("warning");
  const parts = [
    run.failures.length > 0 ? `${plural(run.failures.length, "task")} failed` : "",
    mend === "" ? "" : `${mend} to mend`,
    look === "" ? "" : `${look} to look at`,
  ].filter(Boolean);
  return parts.length > 0 ? `${parts.join(", ")}.` : "Nothing that needs mending was found.";
}

function failure({ taskId, reason, attempts, message, subject, hint }: FailureView): Markup {
  return markup`<div class="failure"><h2>✖ ${taskId || "The run"} failed${attempts !== "" && ` ${attempts}`}: <code>${reason}</code></h2><p>${message}</p>${subject !== "" && markup`<p class="dim">At <code>${subject}</code></p>`}${hint !== "" && markup`<p><strong>What to do:</strong> ${hint}</p>`}</div>`;
}

function headline({ mark, taskId, text }: HeadlineView, place: number): Markup {
  return markup`<li>${badge(mark)}<span class="text">${text}</span><a href="#task-${place}">${taskId}</a></li>`;
}

function facts(run: RunView, datasets: DatasetView[]): Markup[] {
  const [only, ...others] = datasets;
  const done = run.tasks.filter(({ mark }) => mark.tone === "ok").length;
  const pairs: [string, string][] = [
    ...(only === undefined || others.length > 0 ? [] : about(only)),
    ...(others.length > 0 ? [["Datasets", datasets.map(({ name }) => name).join(", ")] as [string, string]] : []),
    ["Tasks", `${done} of ${run.tasks.length} succeeded`],
    ...(run.duration === "" ? [] : [["Time", run.duration] as [string, string]]),
  ];
  return pairs.map(([term, value]) => markup`<div><dt>${term}</dt><dd>${value}</dd></div>`);
}

function about({ name, shape, storage }: DatasetView): [string, string][] {
  return [
    ["Dataset", name],
    ["Shape", shape],
    ["Size", storage],
  ];
}
