import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** What an expression may read of a task. */
export interface TaskScope {
  /** `SUCCEEDED`, `SKIPPED` … */
  status: string;
  /** What it answered; undefined (null to the expression) where it has not. */
  output?: JsonValue;
}

/** What the expressions of a run may read. */
export interface Scope {
  run: { id: string; inputs: JsonObject };
  /** By task id; a Map will do. */
  tasks: { get(id: string): TaskScope | undefined };
  /** The item that a task with `for_each` works on; undefined (null to the expression) elsewhere. */
  item?: JsonValue;
  /** Its place in the list, from 0. */
  index?: number;
}
