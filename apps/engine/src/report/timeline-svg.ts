import { type Markup, markup } from "./markup.ts";
import { formatDuration } from "./quantity.ts";
import type { TaskView } from "./run-view.ts";
import { clip } from "./visible.ts";

const WIDTH = 1000;
const LABELS = 190;
/** Room behind the last bar for its durations. */
const NOTES = 220;
const ROW = 30;
const BAR = 14;
const AXIS = 26;
const TICKS = 6;

/**
 * When each task waited for a free expert and when it ran, as bars over one axis. A task that never became ready has
 * a row with its status alone; one that still runs has an open end.
 *
 * @param end length of the run in milliseconds, or how far it is
 */
export function timelineSvg(tasks: readonly TaskView[], end: number): Markup {
  const span = Math.max(end, 1, ...tasks.map((task) => task.end ?? task.start ?? 0));
  const scale = (milliseconds: number): number =>
    Math.round((LABELS + (milliseconds / span) * (WIDTH - LABELS - NOTES)) * 10) / 10;
  const height = AXIS + tasks.length * ROW + 6;
  return markup`<svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="timeline-title timeline-desc">
<title id="timeline-title">When each task waited and ran</title>
<desc id="timeline-desc">${tasks.map((task) => `${task.id}: ${note(task)}.`).join(" ")}</desc>
<defs><pattern id="queue" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch" width="2" height="5"/></pattern></defs>
${ticks(span).map((tick) => axis(tick, scale(tick), height))}
${tasks.map((task, place) => row(task, AXIS + place * ROW, { scale, span }))}
</svg>`;
}

/** Round numbers from 0 to `span`, some {@link TICKS} of them. */
function ticks(span: number): number[] {
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, place) => place * step);
}

function axis(tick: number, x: number, height: number): Markup {
  return markup`<line class="grid" x1="${x}" y1="${AXIS - 6}" x2="${x}" y2="${height}"/><text class="dim" x="${x}" y="14" text-anchor="middle">${tick === 0 ? "0" : formatDuration(tick)}</text>`;
}

interface Axis {
  scale: (milliseconds: number) => number;
  span: number;
}

function row(task: TaskView, y: number, { scale, span }: Axis): Markup {
  const middle = y + ROW / 2;
  const from = task.ready ?? task.start;
  const to = task.end ?? span;
  const noteAt = from === undefined ? LABELS : scale(Math.max(to, from)) + 8;
  return markup`<g class="tone-${task.mark.tone}${task.critical && " critical"}">
<text class="name" x="0" y="${middle + 4}"><tspan class="state">${task.mark.icon}</tspan> ${clip(task.id, 24)}</text>
${from !== undefined && bar("wait", [scale(from), scale(task.start ?? to)], middle)}
${task.start !== undefined && bar("ran", [scale(task.start), scale(to)], middle)}
<text class="dim note" x="${noteAt}" y="${middle + 4}">${note(task)}</text></g>`;
}

function bar(kind: "wait" | "ran", [from, to]: [number, number], middle: number): Markup {
  const width = Math.max(kind === "ran" ? 2 : 0, Math.round((to - from) * 10) / 10);
  return markup`<rect class="${kind}" x="${from}" y="${middle - BAR / 2}" width="${width}" height="${BAR}" rx="2"/>`;
}

function note({ ready, start, end, mark }: TaskView): string {
  if (start === undefined) return mark.word.toLowerCase();
  const waited = ready === undefined ? "" : `waited ${formatDuration(Math.max(0, start - ready))}, `;
  return end === undefined ? `${waited}${mark.word.toLowerCase()}` : `${waited}ran ${formatDuration(end - start)}`;
}
