import { Graph, layout } from "@dagrejs/dagre";
import { type Markup, markup } from "./markup.ts";
import { formatDuration, plural } from "./quantity.ts";
import type { TaskView } from "./run-view.ts";
import { clip } from "./visible.ts";

const WIDTH = 224;
const HEIGHT = 98;
const MARGIN = 6;
/** Characters of the small and of the bold text that fit a node. */
const FITS = 30;
const FITS_BOLD = 25;

interface Point {
  x: number;
  y: number;
}

/** Where a layout put the tasks and the edges between them, in pixels. */
interface Drawing {
  width: number;
  height: number;
  /** Centre of each task. */
  nodes: Point[];
  edges: { from: number; to: number; points: Point[] }[];
}

/**
 * The tasks of a run as a graph from left to right; each node links to `#task-<its place>`. Nodes and edges of the
 * critical path are drawn stronger.
 *
 * @param tasks some hundred at most: the layout is super-linear
 */
export function dagSvg(tasks: readonly TaskView[]): Markup {
  const drawing = draw(tasks);
  const { width, height } = drawing;
  return markup`<svg class="dag" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="group" aria-labelledby="dag-title dag-desc">
<title id="dag-title">Tasks of the run and what each waits for</title>
<desc id="dag-desc">${tasks.map((task) => describe(task, tasks)).join(" ")}</desc>
<defs>${["plain", "critical"].map(arrow)}</defs>
${drawing.edges.map(({ from, to, points }) => edge(points, onPath(tasks[from], tasks[to])))}
${tasks.map((task, place) => node(task, place, drawing.nodes[place]!))}
</svg>`;
}

function draw(tasks: readonly TaskView[]): Drawing {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 56, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  tasks.forEach((_, place) => {
    graph.setNode(String(place), { width: WIDTH, height: HEIGHT });
  });
  tasks.forEach((task, place) => {
    for (const before of task.dependsOn) graph.setEdge(String(before), String(place));
  });
  layout(graph);
  const { width, height } = graph.graph();
  return {
    width: Math.ceil(width ?? 0),
    height: Math.ceil(height ?? 0),
    nodes: tasks.map((_, place) => point(graph.node(String(place)))),
    edges: graph.edges().map(({ v, w }) => {
      const points: Partial<Point>[] = graph.edge(v, w).points ?? [];
      return { from: Number(v), to: Number(w), points: points.map(point) };
    }),
  };
}

function point({ x, y }: Partial<Point>): Point {
  return { x: Math.round(x ?? 0), y: Math.round(y ?? 0) };
}

function onPath(from: TaskView | undefined, to: TaskView | undefined): boolean {
  return from?.critical === true && to?.critical === true;
}

function arrow(kind: string): Markup {
  return markup`<marker id="arrow-${kind}" class="arrow ${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>`;
}

function edge(points: Point[], critical: boolean): Markup {
  const kind = critical ? "critical" : "plain";
  return markup`<path class="edge ${kind}" d="${curve(points)}" marker-end="url(#arrow-${kind})"/>`;
}

/** A smooth line through the points that the layout chose, level at both ends. */
function curve(points: Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let from = first;
  const parts = rest.map((to) => {
    const middle = Math.round((from.x + to.x) / 2);
    const part = `C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
    from = to;
    return part;
  });
  return `M${first.x} ${first.y}${parts.join("")}`;
}

function node(task: TaskView, place: number, { x, y }: Point): Markup {
  const ran = task.start !== undefined && task.end !== undefined ? formatDuration(task.end - task.start) : "";
  const left = x - WIDTH / 2;
  const top = y - HEIGHT / 2;
  return markup`<a href="#task-${place}"><g class="node tone-${task.mark.tone}${task.critical && " critical"}" transform="translate(${left} ${top})">
<rect class="box" width="${WIDTH}" height="${HEIGHT}" rx="10"/><rect class="stripe" x="0" y="14" width="4" height="${HEIGHT - 28}" rx="2"/>
<text class="state" x="16" y="24">${task.mark.icon} ${task.mark.word}</text><text class="dim" x="${WIDTH - 14}" y="24" text-anchor="end">${ran}</text>
<text class="name" x="16" y="46">${clip(task.id, FITS_BOLD)}</text>
<text class="dim" x="16" y="64">${clip(`${task.expert.replace(/@.*/u, "")} · ${task.action}`, FITS + 3)}</text>
<text class="dim" x="16" y="83">${plural(task.findings, "finding")}${task.attempts > 1 && ` · ${task.attempts} attempts`}</text></g></a>`;
}

function describe(task: TaskView, tasks: readonly TaskView[]): string {
  const before = task.dependsOn.map((place) => tasks[place]?.id).join(", ");
  return `${task.id}: ${task.mark.word.toLowerCase()}${before === "" ? "" : `, after ${before}`}.`;
}
