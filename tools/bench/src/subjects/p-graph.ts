// microsoft/p-graph: promises in the order of a DAG, in memory, without events.
import { type DependencyList, PGraph } from "p-graph";
import type { Subject } from "./subject.ts";

export default {
  name: "p-graph",
  async prepare({ tasks }, task) {
    const run = async () => task();
    const nodes = new Map(tasks.map(({ id }) => [id, { run }]));
    const edges: DependencyList = tasks.flatMap(({ id, dependsOn }) =>
      dependsOn.map((before): [string, string] => [before, id]),
    );
    const graph = new PGraph(nodes, edges);
    return async () => {
      await graph.run();
    };
  },
} satisfies Subject;
