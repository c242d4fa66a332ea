import { type Edge, type EdgeLabel, Graph, type GraphLabel, layout, type NodeLabel } from "@dagrejs/dagre";
import { type Markup, markup } from "./markup.ts";
import { formatDuration, plural } from "./quantity.ts";
import type { TaskView } from "./run-view.ts";
import { clip } from "./visible.ts";

const WIDTH = 236;
const HEIGHT = 112;
const MARGIN = 6;
/** Characters of the small and of the bold text that fit a node; wider scripts are cut by its clip path. */
const FITS = 27;
const FITS_BOLD = 22;
/** Pixels from which a graph is not shrunk to less than that, or not at all. */
const WIDE = 760;
const HUGE = 1500;

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
  return markup`<svg class="dag${size(width)}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="group" aria-labelledby="dag-title dag-desc">
<title id="dag-title">Tasks of the run and what each waits for</title>
<desc id="dag-desc">${tasks.map((task) => describe(task, tasks)).join(" ")}</desc>
<defs>${["plain", "critical"].map(arrow)}<clipPath id="node-inside"><rect width="${WIDTH - 8}" height="${HEIGHT}"/></clipPath></defs>
${drawing.edges.map(({ from, to, points }) => edge(points, onPath(tasks, from, to)))}
${tasks.map((task, place) => node(task, place, drawing.nodes[place]!))}
</svg>`;
}

/** A wide graph keeps a readable size on a narrow screen, a huge one on any: both scroll. */
function size(width: number): string {
  return width > HUGE ? " huge" : width > WIDE ? " wide" : "";
}

function draw(tasks: readonly TaskView[]): Drawing {
  const graph = new Graph<GraphLabel, NodeLabel, EdgeLabel>();
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 64, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  tasks.forEach((_, place) => {
    graph.setNode(String(place), { width: WIDTH, height: HEIGHT });
  });
  // Last edges first: the layout then stacks the tasks of one rank in the order of the workflow.
  for (const [place, task] of [...tasks.entries()].reverse()) {
    for (const before of task.dependsOn) graph.setEdge(String(before), String(place));
  }
  layout(graph);
  const { width, height } = graph.graph();
  const nodes = tasks.map((_, place) => point(graph.node(String(place))));
  return {
    ...{ width: Math.ceil(width ?? 0), height: Math.ceil(height ?? 0), nodes },
    edges: graph.edges().map(({ v, w }: Edge) => {
      const [from, to] = [Number(v), Number(w)];
      // The layout's first and last points lie where a straight line to the centre meets the border; level ports read
      // better. Points between matter to an edge that passes other nodes only: it has more than one.
      const inner = (graph.edge(v, w).points ?? []).slice(1, -1).map(point);
      const between = inner.length > 1 ? inner : [];
      return { from, to, points: [port(nodes[from]!, 1), ...between, port(nodes[to]!, -1)] };
    }),
  };
}

/** The middle of the right (1) or left (-1) side of a node. */
function port({ x, y }: Point, side: 1 | -1): Point {
  return { x: x + (side * WIDTH) / 2, y };
}

function point({ x, y }: Partial<Point>): Point {
  return { x: Math.round(x ?? 0), y: Math.round(y ?? 0) };
}

/** Whether both ends are critical and nothing critical ended between them. */
function onPath(tasks: readonly TaskView[], from: number, to: number): boolean {
  if (tasks[from]?.critical !== true || tasks[to]?.critical !== true) return false;
  const last = Math.max(...tasks[to].dependsOn.map((place) => tasks[place]?.end ?? 0));
  return tasks[from].end === last;
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
<rect class="box" width="${WIDTH}" height="${HEIGHT}" rx="10"/><rect class="stripe" x="0" y="14" width="4" height="${HEIGHT - 28}" rx="2"/><g clip-path="url(#node-inside)">
<text class="state" x="16" y="25">${task.mark.icon} ${task.mark.word}</text><text class="dim" x="${WIDTH - 14}" y="25" text-anchor="end">${ran}</text>
<text class="name" x="16" y="48">${clip(task.id, FITS_BOLD)}</text>
<text class="dim" x="16" y="66">${clip(task.expert, FITS)}</text><text class="dim" x="16" y="82">${clip(task.action, FITS)}</text>
<text x="16" y="100">${plural(task.findings, "finding")}${task.attempts > 1 && ` · ${task.attempts} attempts`}</text></g></g></a>`;
}

function describe(task: TaskView, tasks: readonly TaskView[]): string {
  const before = task.dependsOn.map((place) => tasks[place]?.id).join(", ");
  return `${task.id}: ${task.mark.word.toLowerCase()}${before === "" ? "" : `, after ${before}`}.`;
}
