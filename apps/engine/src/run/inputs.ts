import { type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { BlobRef } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { type BindingResult, bindInputs, type Scope } from "@odg/workflow";
import type { ActiveRun } from "./active-run.ts";

/** The canonical name of the data among the inputs, and the name that the decision record gives it. */
const DATASET = "dataset";
const DATASET_ALIAS = "file_path";

/** Inputs with the data under its canonical name. */
export function canonicalInputs(inputs: JsonObject): JsonObject {
  if (inputs[DATASET] !== undefined || inputs[DATASET_ALIAS] === undefined) return inputs;
  return { ...inputs, [DATASET]: inputs[DATASET_ALIAS] };
}

/** Every dataset that a run names as plain text, and where. Expressions are known only when their task runs. */
export function namedDatasets(workflow: Workflow, inputs: JsonObject): { uri: string; field: string }[] {
  const named = [{ inputs, field: "inputs" }];
  for (const [index, task] of workflow.tasks.entries()) {
    if (task.inputs) named.push({ inputs: task.inputs, field: `workflow.tasks[${index}].inputs` });
  }
  return named.flatMap((one) => {
    const name = one.inputs[DATASET] === undefined ? DATASET_ALIAS : DATASET;
    const uri = one.inputs[name];
    return typeof uri === "string" && !uri.includes("${") ? [{ uri, field: `${one.field}.${name}` }] : [];
  });
}

/** Values that are kept beside the journal: those that were read, by digest, and those that were asked for and are not among them. */
export interface Materials {
  values: ReadonlyMap<string, Value>;
  missing: Map<string, BlobRef>;
}

/** What one item of a task is, for the expressions of its inputs. */
export interface ItemScope {
  item: JsonValue;
  /** From 0. */
  index: number;
}

/** What the expressions of a run may read now; those of an item also the item. */
export function scopeOf(run: ActiveRun, materials: Materials = NOTHING_KEPT(), item?: ItemScope): Scope {
  const { tasks } = run.projection.scope();
  return {
    run: { id: run.runId, inputs: canonicalInputs(run.started.inputs ?? {}) },
    tasks: {
      get(id) {
        const found = tasks.get(id);
        const ref = run.projection.run().tasks[run.numberOf(id) ?? -1]?.outputBlob;
        const kept = ref && keptValue(ref, materials);
        return found && kept ? { ...found, output: toJson(ValueSchema, kept) } : found;
      },
    },
    ...item,
  };
}

/** Outputs of the direct predecessors of a task, by id. */
export function upstreamOf(run: ActiveRun, task: number, materials: Materials): Record<string, Value> {
  const { tasks } = run.projection.run();
  return Object.fromEntries(
    run.task(task).dependsOn.flatMap((id) => {
      const state = tasks[run.numberOf(id) ?? -1];
      const output = state?.outputBlob ? keptValue(state.outputBlob, materials) : state?.output;
      return output ? [[id, output]] : [];
    }),
  );
}

/** A value that is kept beside the journal; where it was not read yet it is missing from now on. */
export function keptValue(ref: BlobRef, { values, missing }: Materials): Value | undefined {
  const value = values.get(ref.digest);
  if (!value) missing.set(ref.digest, ref);
  return value;
}

const NOTHING_KEPT = (): Materials => ({ values: new Map(), missing: new Map() });

/**
 * The arguments of a task: its own, or the run's. Where neither names a dataset it is that of the first predecessor that has one, so
 * that the decision record's workflows, which name the file once, run as they stand.
 */
export function argumentsOf(run: ActiveRun, task: number, scope: Scope): BindingResult<JsonObject> {
  const bound = bindInputs(run.task(task), scope);
  if (bound.failure) return bound;
  const inputs = canonicalInputs(bound.value);
  if (inputs[DATASET] !== undefined) return { value: inputs };
  const inherited = scope.run.inputs[DATASET] ?? datasetOfPredecessors(run, task, scope);
  return { value: inherited === undefined ? inputs : { ...inputs, [DATASET]: inherited } };
}

/** What tasks have inherited, so that a task asks its predecessors and not all that is before them. */
const inheritance = new WeakMap<ActiveRun, Map<number, JsonValue | undefined>>();

/** Depth first, in the order of `depends_on`; without recursion, for a chain may be ten thousand tasks long. */
function datasetOfPredecessors(run: ActiveRun, task: number, scope: Scope): JsonValue | undefined {
  const inherited = inheritance.get(run) ?? new Map<number, JsonValue | undefined>();
  inheritance.set(run, inherited);
  const seen = new Set<number>();
  const open = predecessorsOf(run, task);
  let found: JsonValue | undefined;
  for (let number = open.pop(); number !== undefined && found === undefined; number = open.pop()) {
    if (seen.has(number)) continue;
    seen.add(number);
    found = datasetOf(run, number, scope) ?? inherited.get(number);
    if (found === undefined && !inherited.has(number)) open.push(...predecessorsOf(run, number));
  }
  inherited.set(task, found);
  return found;
}

/** What the task itself names. */
function datasetOf(run: ActiveRun, task: number, scope: Scope): JsonValue | undefined {
  const own = run.task(task).inputs && bindInputs(run.task(task), scope);
  return own?.value && canonicalInputs(own.value)[DATASET];
}

/** The last one first, as a stack wants them. */
function predecessorsOf(run: ActiveRun, task: number): number[] {
  return run
    .task(task)
    .dependsOn.map((id) => run.numberOf(id))
    .filter((number) => number !== undefined)
    .reverse();
}
