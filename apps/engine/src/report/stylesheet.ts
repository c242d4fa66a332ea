import { SEVERITIES, severityMark } from "./vocabulary.ts";

const LIGHT = `
  --page: #f4f6f9; --card: #ffffff; --ink: #1a2230; --dim: #566074; --line: #d8dee8; --accent: #2f4fd0; --bar: #5673d8; --soft: #c3cef2; --none: #e2e6ee;
  --critical: #8c0f3a; --critical-bg: #fbe3eb; --error: #b01e14; --error-bg: #fdebe9; --warning: #805000; --warning-bg: #fcf1d9;
  --ok: #10633a; --ok-bg: #e3f4ea; --info: #24529a; --info-bg: #e7effb; --active: #0b6070; --active-bg: #def3f6; --idle: #566074; --idle-bg: #eceff4;`;

const DARK = `
  --page: #0e131d; --card: #171e2b; --ink: #e8ecf4; --dim: #a6b0c3; --line: #2d374a; --accent: #9db3ff; --bar: #7f9af0; --soft: #3d4d80; --none: #2a3345;
  --critical: #ffa3c0; --critical-bg: #431229; --error: #ffa197; --error-bg: #421b18; --warning: #f2c668; --warning-bg: #392b0d;
  --ok: #7bdca0; --ok-bg: #12311f; --info: #94bbff; --info-bg: #172b4c; --active: #7fdcea; --active-bg: #0f323a; --idle: #b3bccb; --idle-bg: #252d3c;`;

const TONES = ["critical", "error", "warning", "ok", "info", "active", "idle"]
  .map((tone) => `.tone-${tone} { --tone: var(--${tone}); --tone-bg: var(--${tone}-bg); }`)
  .join("\n");

/** Choosing a severity hides the groups of the others: no script is needed. */
const FILTER = SEVERITIES.map(severityMark)
  .map(({ tone }) => `body:has(#only-${tone}:checked) .group:not(.tone-${tone}) { display: none; }`)
  .join("\n");

const PAGE = `
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; }
main, .top, footer { max-width: 1160px; margin: 0 auto; padding: 0 20px; }
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.01em; }
h2 { font-size: 20px; line-height: 1.3; margin-bottom: 14px; }
h3 { font-size: 16px; }
h1, h2, h3, p, li, td, dd, code, summary { overflow-wrap: anywhere; }
code { font: .92em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
a { color: var(--accent); text-underline-offset: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.dim { color: var(--dim); }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 12px; top: 12px; background: var(--card); padding: 8px 12px; z-index: 1; }
.top { padding-top: 32px; }
main > section, .card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 24px; margin: 0 0 20px; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14px; margin: 0 2px 14px; }
footer { font-size: 13px; padding-bottom: 40px; color: var(--dim); }
${TONES}`;

const HEAD = `
.overline { font-size: 13px; color: var(--dim); margin-bottom: 6px; }
.title { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; }
.badge { display: inline-flex; gap: 6px; align-items: center; white-space: nowrap; font-size: 13px; font-weight: 650; line-height: 1.3; color: var(--tone); background: var(--tone-bg); border-radius: 999px; padding: 3px 11px; }
.badge.large { font-size: 15px; padding: 5px 15px; }
.about { color: var(--dim); margin-top: 8px; max-width: 75ch; }
.verdict { font-size: 18px; font-weight: 600; margin-top: 16px; }
.facts { display: flex; flex-wrap: wrap; gap: 12px 36px; margin: 18px 0 4px; padding-top: 18px; border-top: 1px solid var(--line); }
.facts dt { font-size: 13px; color: var(--dim); }
.facts dd { font-weight: 600; overflow-wrap: anywhere; }
.headlines { list-style: none; margin-top: 14px; }
.headlines li { display: grid; grid-template-columns: 116px 1fr auto; gap: 2px 14px; align-items: baseline; padding: 9px 0; border-top: 1px solid var(--line); }
.headlines .badge { justify-self: start; }
.headlines a { font-size: 13px; }
.failure { border-left: 5px solid var(--error); background: var(--error-bg); border-radius: 8px; padding: 14px 18px; margin-top: 12px; }
.failure h2 { color: var(--error); font-size: 16px; margin: 0; }
.failure p { margin-top: 4px; }`;

const FINDINGS = `
fieldset { border: 0; padding: 0; margin: 0 0 18px; display: flex; flex-wrap: wrap; gap: 8px; }
legend { font-size: 13px; color: var(--dim); padding: 0; margin-bottom: 6px; }
fieldset label { position: relative; cursor: pointer; }
fieldset input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
fieldset .badge { border: 2px solid transparent; }
fieldset input:checked + .badge { border-color: var(--tone); }
fieldset input:focus-visible + .badge { outline: 3px solid var(--accent); outline-offset: 2px; }
.group { margin-top: 22px; }
.group > h3 { display: flex; gap: 8px; color: var(--tone); margin-bottom: 8px; }
.finding { border: 1px solid var(--line); border-left: 5px solid var(--tone); border-radius: 10px; padding: 14px 18px; margin-bottom: 12px; }
.finding header { display: flex; flex-wrap: wrap; gap: 2px 14px; justify-content: space-between; align-items: baseline; }
.finding h4 { margin: 0; font-size: 15px; overflow-wrap: anywhere; }
.finding h4 span { font-weight: 400; color: var(--dim); }
.finding header code { font-size: 13px; color: var(--dim); }
.finding .reason { margin-top: 4px; }
.evidence { list-style: none; margin-top: 8px; font-size: 14px; }
.evidence li { display: flex; flex-wrap: wrap; gap: 0 12px; padding: 2px 0; }
.evidence .label { color: var(--dim); }
.evidence .value { font-weight: 550; overflow-wrap: anywhere; }
.evidence code { color: var(--accent); overflow-wrap: anywhere; }
.remedy { margin-top: 8px; padding: 8px 12px; border-radius: 8px; background: var(--page); font-size: 15px; }
.origin { display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: center; margin-top: 10px; font-size: 13px; color: var(--dim); }
.origin .source { border: 1px solid var(--line); border-radius: 6px; padding: 0 7px; }
.origin .model { color: var(--active); background: var(--active-bg); border-color: transparent; }
.origin code { color: inherit; }
.origin svg { vertical-align: -1px; margin-right: 6px; }
.meter { fill: var(--none); } .level { fill: var(--bar); }
.brief { border-top: 1px solid var(--line); padding: 7px 0; }
.brief summary { cursor: pointer; }
.brief summary > span { display: inline; }
.brief .icon { color: var(--tone); font-weight: 700; }
.brief .inside { padding: 2px 0 6px 20px; }
${FILTER}`;

const TABLES = `
table { width: 100%; border-collapse: collapse; font-size: 14px; }
caption { text-align: left; color: var(--dim); font-size: 14px; padding-bottom: 8px; }
th { text-align: left; font-size: 13px; font-weight: 600; color: var(--dim); padding: 6px 14px 6px 0; border-bottom: 2px solid var(--line); white-space: nowrap; }
td { padding: 9px 14px 9px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; padding-right: 26px; font-variant-numeric: tabular-nums; }
td.name { font-weight: 600; min-width: 10.5em; }
td.short { white-space: nowrap; }
tr:target td, .finding:target { background: var(--info-bg); }
.withheld { display: inline-block; border-radius: 6px; padding: 0 8px; background: var(--idle-bg); color: var(--idle); font-size: 13px; }
.scroll + table { margin-top: 18px; }
.scroll { overflow-x: auto; padding: 4px; margin: -4px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; color: var(--dim); margin: 0 0 10px; list-style: none; }
.legend svg { vertical-align: -2px; margin-right: 6px; }
details.shared > summary { cursor: pointer; font-weight: 600; }
details.shared table { margin-top: 12px; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.appendix { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; font-size: 14px; }
.appendix dt { color: var(--dim); }`;

const DRAWINGS = `
svg { font-family: inherit; display: inline-block; }
svg text { font-size: 12.5px; fill: var(--ink); }
svg .dim { fill: var(--dim); }
.dag, .timeline { display: block; height: auto; max-width: 100%; margin: 0 auto; }
.dag.wide, .timeline { min-width: 760px; }
.dag.huge { max-width: none; }
.timeline { width: 100%; }
.node .box { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
.node.critical .box { stroke: var(--accent); stroke-width: 2.5; }
.node .stripe { fill: var(--tone); }
.node .state, .timeline .state { fill: var(--tone); font-weight: 650; }
.node .name { font-size: 14.5px; font-weight: 650; }
.dag a:hover .box { fill: var(--page); }
.dag a:focus-visible { outline: none; }
.dag a:focus-visible .box { stroke: var(--accent); stroke-width: 4; }
.edge { fill: none; stroke: var(--dim); stroke-width: 1.5; }
.edge.critical { stroke: var(--accent); stroke-width: 3; }
.arrow.plain { fill: var(--dim); } .arrow.critical { fill: var(--accent); }
svg .note { paint-order: stroke; stroke: var(--card); stroke-width: 5px; stroke-linejoin: round; }
.grid { stroke: var(--line); }
.hatch { fill: var(--dim); }
.wait { fill: url(#queue); stroke: var(--dim); stroke-width: .75; }
.ran { fill: var(--tone); }
.critical .ran { stroke: var(--accent); stroke-width: 2.5; }
.critical .name { font-weight: 700; }
.chart { display: block; }
.chart text { font-size: 11px; } .chart .label { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 10.5px; }
.bar { fill: var(--bar); } .bar.soft { fill: var(--soft); } .bar.none { fill: var(--none); }
.base { stroke: var(--line); }`;

const SMALL = `
@media screen and (max-width: 860px) {
  main, .top, footer { padding-left: 12px; padding-right: 12px; }
  main > section, .card { padding: 18px 16px; border-radius: 12px; }
  h1 { font-size: 24px; }
  .facts { gap: 10px 24px; }
  .headlines li { grid-template-columns: 1fr auto; }
  .headlines .text { grid-column: 1 / -1; grid-row: 2; }
  .stack, .stack tbody, .stack tr, .stack td, .stack caption { display: block; }
  .stack thead { position: absolute; left: -9999px; }
  .stack tr { padding: 12px 0; border-bottom: 1px solid var(--line); }
  .stack td { display: flex; gap: 12px; border: 0; padding: 2px 0; text-align: left; }
  .stack td::before { content: attr(data-label); flex: 0 0 88px; color: var(--dim); font-weight: 400; }
  .stack td:empty { display: none; }
  .stack td.name { font-size: 15px; min-width: 0; }
  .stack td.name::before { display: none; }
  .columns tr { display: grid; grid-template-columns: 2fr 1fr 1fr; gap: 4px 12px; }
  .columns td { display: block; padding-right: 0; }
  .columns td:nth-child(n+5), .columns td.name { grid-column: 1 / -1; }
  .columns td::before { display: block; font-size: 12px; }
  .columns td:nth-child(n+5)::before { display: none; }
  .appendix { grid-template-columns: 1fr; gap: 0; }
  .appendix dd { margin-bottom: 8px; }
}
@media print {
  body { background: #fff; font-size: 11pt; }
  nav, fieldset, .skip { display: none; }
  main > section, .card { border: 0; padding: 0 0 12pt; }
  .finding, .failure, tr, .headlines li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .group { display: block !important; }
  details::details-content { content-visibility: visible; display: block; }
  table { font-size: 9pt; } td, th, td.number, th.number { padding-right: 8pt; }
  .dag.wide, .dag.huge, .timeline { min-width: 0; max-width: 100%; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}`;

/** The styles of the HTML report: light and dark as the system is, narrow screens, and paper (always light). */
export const STYLESHEET = [
  `:root { color-scheme: light dark; ${LIGHT} }`,
  `@media screen and (prefers-color-scheme: dark) { :root { ${DARK} } }`,
  PAGE,
  HEAD,
  FINDINGS,
  TABLES,
  DRAWINGS,
  SMALL,
].join("\n");
