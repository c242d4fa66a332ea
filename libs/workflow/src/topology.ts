import type { Plan } from "@odg/proto/odg/workflow/v1/workflow_pb";

/** Edges in compressed sparse rows, both ways. */
export interface Graph {
  count: number;
  inDegrees: Uint32Array;
  /** The successors of `v` are `targets[offsets[v]] … targets[offsets[v + 1] - 1]`. */
  offsets: Uint32Array;
  targets: Uint32Array;
  /** The predecessors of `v` are `sources[sourceOffsets[v]] … sources[sourceOffsets[v + 1] - 1]`. */
  sourceOffsets: Uint32Array;
  sources: Uint32Array;
}

/** Builds the rows of a graph of `count` vertices whose edges are `sources[i] -> sinks[i]`, sorted by sink. */
export function graphOf(count: number, sources: readonly number[], sinks: readonly number[]): Graph {
  const offsets = offsetsOf(count, sources);
  const sourceOffsets = offsetsOf(count, sinks);
  const inDegrees = new Uint32Array(count);
  for (let v = 0; v < count; v++) inDegrees[v] = sourceOffsets[v + 1]! - sourceOffsets[v]!;
  const next = offsets.slice();
  const targets = new Uint32Array(sources.length);
  for (let i = 0; i < sources.length; i++) targets[next[sources[i]!]!++] = sinks[i]!;
  return { count, inDegrees, offsets, targets, sourceOffsets, sources: Uint32Array.from(sources) };
}

function offsetsOf(count: number, ends: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(count + 1);
  for (const end of ends) offsets[end + 1]!++;
  for (let v = 0; v < count; v++) offsets[v + 1]! += offsets[v]!;
  return offsets;
}

/** The vertices in an order in which each stands after its predecessors; those on or behind a cycle are left out. */
export function topologicalOrder(graph: Graph): Uint32Array {
  const { count, offsets, targets } = graph;
  const waitsFor = graph.inDegrees.slice();
  const order = new Uint32Array(count);
  let filled = 0;
  for (let v = 0; v < count; v++) if (waitsFor[v] === 0) order[filled++] = v;
  for (let head = 0; head < filled; head++) {
    const v = order[head]!;
    for (let i = offsets[v]!; i < offsets[v + 1]!; i++) {
      const next = targets[i]!;
      if (--waitsFor[next]! === 0) order[filled++] = next;
    }
  }
  return order.subarray(0, filled);
}

/** For each vertex the number of vertices on the longest path from it to an end, itself included. `order` must be complete. */
export function longestPaths(graph: Graph, order: Uint32Array): Uint32Array {
  const { offsets, targets } = graph;
  const length = new Uint32Array(graph.count);
  for (let at = order.length - 1; at >= 0; at--) {
    const v = order[at]!;
    let longest = 0;
    for (let i = offsets[v]!; i < offsets[v + 1]!; i++) longest = Math.max(longest, length[targets[i]!]!);
    length[v] = longest + 1;
  }
  return length;
}

/**
 * Numbers the strongly connected components (Tarjan 1972, without recursion) so that a component's number is greater than those of
 * the components it leads to. Also lists, for each component, its vertices.
 */
export function components(graph: Graph): { of: Int32Array; members: number[][] } {
  const { count, offsets, targets } = graph;
  const of = new Int32Array(count).fill(-1);
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const edge = offsets.slice(0, count);
  const members: number[][] = [];
  const open: number[] = [];
  const path: number[] = [];
  let counter = 0;
  const enter = (v: number) => {
    index[v] = low[v] = counter++;
    open.push(v);
    path.push(v);
  };
  const leave = (v: number) => {
    path.pop();
    const parent = path.at(-1);
    if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[v]!);
    if (low[v] === index[v]) members.push(close(v));
  };
  const close = (root: number): number[] => {
    const found = open.splice(open.lastIndexOf(root));
    for (const v of found) of[v] = members.length;
    return found;
  };
  for (let start = 0; start < count; start++) {
    if (index[start] === -1) enter(start);
    while (path.length > 0) {
      const v = path.at(-1)!;
      if (edge[v]! === offsets[v + 1]!) {
        leave(v);
        continue;
      }
      const next = targets[edge[v]!++]!;
      if (index[next] === -1) enter(next);
      else if (of[next] === -1) low[v] = Math.min(low[v]!, index[next]!);
    }
  }
  return { of, members };
}

/** A shortest cycle through `start` that stays in its component, as vertices with `start` at both ends. */
export function cycleThrough(graph: Graph, start: number, componentOf: Int32Array): number[] {
  const { offsets, targets } = graph;
  const from = new Map<number, number>();
  const queue = [start];
  for (const v of queue) {
    for (let i = offsets[v]!; i < offsets[v + 1]!; i++) {
      const next = targets[i]!;
      if (next === start) return walkBack(from, v, start);
      if (componentOf[next] !== componentOf[start] || from.has(next)) continue;
      from.set(next, v);
      queue.push(next);
    }
  }
  return [start];
}

function walkBack(from: ReadonlyMap<number, number>, last: number, start: number): number[] {
  const path = [start];
  for (let v = last; v !== start; v = from.get(v)!) path.push(v);
  path.push(start);
  return path.reverse();
}

/** Whether a stored plan is one that `plan()` could have made: arrays of fitting lengths, known vertices, a true order. O(tasks + edges). */
export function isConsistent(plan: Plan): boolean {
  const { inDegrees, successorOffsets: offsets, successors, priorities, order } = plan;
  const count = inDegrees.length;
  if (offsets.length !== count + 1 || priorities.length !== count || order.length !== count) return false;
  if (offsets[0] !== 0 || offsets[count] !== successors.length) return false;
  const place = new Array<number>(count).fill(-1);
  for (let at = 0; at < count; at++) {
    const v = order[at]!;
    if (place[v] !== -1) return false;
    place[v] = at;
  }
  const seen = new Array<number>(count).fill(0);
  for (let v = 0; v < count; v++) {
    if (offsets[v]! > offsets[v + 1]!) return false;
    for (let i = offsets[v]!; i < offsets[v + 1]!; i++) {
      const next = successors[i]!;
      if (!(place[next]! > place[v]!)) return false;
      seen[next]!++;
    }
  }
  return seen.every((degree, v) => degree === inDegrees[v]);
}

/**
 * For each pair `[source, reader]` whether a path leads from source to reader. `layers` are the vertices in topological order, one by
 * one or by component. Up to 32 sources travel together: O(sources / 32 * (vertices + edges)).
 */
export function ancestry(
  graph: Graph,
  layers: readonly (readonly number[])[],
  pairs: readonly (readonly [number, number])[],
): boolean[] {
  const found = new Array<boolean>(pairs.length).fill(false);
  const bySource = Map.groupBy(pairs.keys(), (i) => pairs[i]![0]);
  const sources = [...bySource.keys()];
  for (let from = 0; from < sources.length; from += 32) {
    const batch = sources.slice(from, from + 32);
    const reached = reach(graph, layers, batch);
    batch.forEach((source, bit) => {
      for (const i of bySource.get(source)!) found[i] = ((reached[pairs[i]![1]]! >>> bit) & 1) === 1;
    });
  }
  return found;
}

// Bit i of each vertex: whether sources[i] leads to it.
function reach(graph: Graph, layers: readonly (readonly number[])[], sources: readonly number[]): Uint32Array {
  const { count, offsets, targets } = graph;
  const own = new Uint32Array(count);
  const reached = new Uint32Array(count);
  sources.forEach((source, bit) => {
    own[source] = 1 << bit;
  });
  for (const layer of layers) {
    let bits = 0;
    for (const v of layer) bits |= reached[v]! | own[v]!;
    // Within a component each leads to each.
    if (layer.length > 1) for (const v of layer) reached[v] = bits;
    for (const v of layer) {
      const on = reached[v]! | own[v]!;
      if (on === 0) continue;
      for (let i = offsets[v]!; i < offsets[v + 1]!; i++) reached[targets[i]!]! |= on;
    }
  }
  return reached;
}
