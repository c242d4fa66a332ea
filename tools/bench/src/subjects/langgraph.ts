// LangGraph JS: one node per task, no checkpointer (its cheapest form), state without channels of its own.
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import type { Subject } from "./subject.ts";

const State = Annotation.Root({
  done: Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 }),
});

export default {
  name: "LangGraph JS",
  slow: true,
  async prepare({ tasks }, task) {
    // The type of a graph grows with each node that is added in a chain of calls; names known at run time only have no such type.
    const graph = new StateGraph(State) as unknown as Graph;
    const followed = new Set(tasks.flatMap(({ dependsOn }) => dependsOn));
    for (const { id } of tasks)
      graph.addNode(id, async () => {
        task();
        return { done: 1 };
      });
    for (const { id, dependsOn } of tasks) {
      if (dependsOn.length === 0) graph.addEdge(START, id);
      else graph.addEdge(dependsOn.length === 1 ? (dependsOn[0] ?? "") : [...dependsOn], id);
      if (!followed.has(id)) graph.addEdge(id, END);
    }
    const compiled = graph.compile();
    return async () => {
      await compiled.invoke({}, { recursionLimit: tasks.length + 10 });
    };
  },
} satisfies Subject;

interface Graph {
  addNode(id: string, run: () => Promise<{ done: number }>): void;
  addEdge(from: string | string[], to: string): void;
  compile(): { invoke(input: object, options: { recursionLimit: number }): Promise<unknown> };
}
