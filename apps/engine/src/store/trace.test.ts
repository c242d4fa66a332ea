import { readdirSync, readFileSync } from "node:fs";
import { clone, equals, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { EventSchema, RunSchema, type TaskState, TaskStateSchema } from "@odg/proto/odg/run/v1/run_pb";
import { project, RunProjection } from "@odg/workflow";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withoutOutputs } from "./run-row.ts";
import type { Store } from "./store.ts";
import { BACKENDS } from "./testing/fixtures.ts";

const folder = new URL("../../../../libs/workflow/testdata/histories/", import.meta.url);
const histories = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));

/** The events of a recorded history under an id that a store takes, renumbered without those that the machine refused. */
function* eventsOf(name: string, runId: string) {
  const projection = new RunProjection();
  let seq = 0n;
  for (const line of readFileSync(new URL(name, folder), "utf8").trim().split("\n")) {
    const { event } = JSON.parse(line) as { event?: JsonValue };
    if (event === undefined) continue;
    const next = { ...fromJson(EventSchema, event), runId, seq: seq + 1n };
    if (!projection.apply(next)) continue;
    seq++;
    yield { event: next, projection };
  }
}

function stateBytes(tasks: readonly TaskState[]): string[] {
  return tasks.map((state) => Buffer.from(toBinary(TaskStateSchema, state)).toString("hex"));
}

for (const [name, open] of Object.entries(BACKENDS)) {
  describe(`a trace in ${name}`, () => {
    let store: Store;
    let close: () => Promise<void>;
    beforeAll(async () => ({ store, close } = await open()));
    afterAll(() => close());

    test.each(histories)("%s alone rebuilds the run, at every event", async (history) => {
      const runId = uuidv7();
      let before: string[] = [];
      for (const { event, projection } of eventsOf(history, runId)) {
        const run = clone(RunSchema, projection.run());
        const now = stateBytes(run.tasks);
        const changed = now.flatMap((state, task) => (state === before[task] ? [] : [task]));
        before = now;
        await store.append({ runId, events: [event], run, changed });
        const kept = await store.getRun(runId);
        const rebuilt = withoutOutputs(project(await store.readEvents(runId, 0n)));
        if (kept && equals(RunSchema, kept, rebuilt)) continue;
        expect(kept && toJson(RunSchema, kept)).toEqual(toJson(RunSchema, rebuilt));
      }
      expect(before.length).toBeGreaterThan(0);
    });
  });
}
