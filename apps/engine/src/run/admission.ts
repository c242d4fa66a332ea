import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type ParentTask, type RunStarted, RunStartedSchema } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import { MACHINE_VERSION } from "@odg/workflow";
import type { DatasetSession, Datasets } from "../dataset/datasets.ts";
import type { ExpertRegistry } from "../expert/registry.ts";
import { candidatesFor, needOf } from "../expert/router.ts";
import { versionOf, type Workflows } from "../workflows.ts";
import { asReject } from "./failure.ts";
import { canonicalInputs, namedDatasets } from "./inputs.ts";
import { emailsIn } from "./redact.ts";

/** What is checked before a run is accepted. */
export interface AdmissionOptions {
  workflows: Workflows;
  registry: ExpertRegistry;
  datasets: Datasets;
  /** Files that every run may open, beside what lies under the roots: what a user typed on the command line. */
  allowedPaths: string[];
}

/** A run that somebody wants. */
export interface Application {
  workflow: Workflow;
  inputs: JsonObject;
  labels: Record<string, string>;
  user: string;
  priority: number;
  requestId?: string;
  parent?: ParentTask;
  /** The run whose results it takes over, and the tasks whose results they are. */
  fork?: { from: string; reused: number[]; pins: Record<string, string> };
}

/** A run that may begin. */
export interface Admitted {
  started: RunStarted;
  datasets: DatasetSession;
  /** Addresses that the contracts of its datasets hold: their owners want them read. */
  allowed: Set<string>;
}

/** Refuses at once, before anything is durable, what would fail later. */
export class Admission {
  #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Datasets for a run that was admitted before. */
  session(): DatasetSession {
    const { datasets, allowedPaths } = this.#options;
    return datasets.session({ allowedPaths });
  }

  /** @throws ConnectError that says what is wrong with the workflow, its inputs or a dataset. */
  async admit(application: Application): Promise<Admitted> {
    const { workflow, labels, user, priority, requestId = "", parent, fork } = application;
    const plan = this.#options.workflows.compile(workflow);
    const inputs = canonicalInputs({ ...(workflow.inputs ?? {}), ...application.inputs });
    this.#requireDataset(workflow, inputs);
    const workflowPins = await this.#workflowPins(workflow);
    const datasets = this.session();
    try {
      const allowed = await openNamed(datasets, namedDatasets(workflow, inputs));
      const started = create(RunStartedSchema, {
        workflow,
        workflowVersion: versionOf(workflow),
        plan,
        machineVersion: MACHINE_VERSION,
        inputs,
        // What was worked for keeps the name of who worked.
        pins: { ...this.#pins(workflow), ...fork?.pins },
        workflowPins,
        labels,
        requestId,
        user,
        priority,
        ...(parent ? { parent } : {}),
        ...(fork ? { forkedFrom: fork.from, reused: fork.reused } : {}),
      });
      return { started, datasets, allowed };
    } catch (error) {
      await datasets.close();
      throw error;
    }
  }

  #pins(workflow: Workflow): Record<string, string> {
    const experts = this.#options.registry.list();
    return Object.fromEntries(
      workflow.tasks
        .filter((task) => task.expert)
        .flatMap((task) => candidatesFor(needOf(task), experts).map(({ expert }) => [task.id, expert.id])),
    );
  }

  /** The versions of the sub-workflows, by task id: a run means those of its beginning. */
  async #workflowPins(workflow: Workflow): Promise<Record<string, string>> {
    const pins: Record<string, string> = {};
    for (const [number, task] of workflow.tasks.entries()) {
      if (!task.workflow) continue;
      try {
        pins[task.id] = (await this.#options.workflows.get(task.workflow, task.workflowVersion)).version;
      } catch (error) {
        throw asReject(error, `workflow.tasks[${number}].workflow`);
      }
    }
    return pins;
  }

  /** Says at once what would otherwise fail the first task: nobody named the data. */
  #requireDataset(workflow: Workflow, inputs: JsonObject): void {
    const named = [inputs, ...workflow.tasks.map((task) => canonicalInputs(task.inputs ?? {}))];
    if (named.some(({ dataset }) => dataset !== undefined)) return;
    const experts = this.#options.registry.list();
    const wants = workflow.tasks.some(
      (task) =>
        task.action &&
        candidatesFor(needOf(task), experts).some(({ expert, action }) => {
          const schema = expert.description.actions.find(({ name }) => name === action)?.inputSchema;
          return Array.isArray(schema?.required) && schema.required.includes("dataset");
        }),
    );
    if (!wants) return;
    throw reject(Reason.INPUT_INVALID, {
      message: "this workflow needs the input dataset: a path or a URI",
      field: "inputs.dataset",
      hint: "For example: odg run onboard_dataset --input dataset=data/orders.parquet",
    });
  }
}

async function openNamed(session: DatasetSession, named: { uri: string; field: string }[]): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const { uri, field } of named) {
    try {
      const { contract } = await session.open(uri);
      for (const address of emailsIn(contract ?? {})) allowed.add(address);
    } catch (error) {
      throw asReject(error, field);
    }
  }
  return allowed;
}
