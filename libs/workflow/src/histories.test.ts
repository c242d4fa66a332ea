import { readdirSync, readFileSync } from "node:fs";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { EventSchema, RunSchema } from "@odg/proto/odg/run/v1/run_pb";
import { expect, test } from "vitest";
import type { Command } from "./command.ts";
import { RunProjection } from "./projection.ts";

// Recorded histories in testdata/histories: on each line an event, the commands that the machine of its time gave for it (null where it
// refused the event), and what was in flight then; on the last line the run. They are never recorded again: an engine of today has to
// go on with a run of any of them.
const folder = new URL("../testdata/histories/", import.meta.url);
const histories = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));

interface Line {
  event: JsonValue;
  commands: Command[] | null;
  pending: Command[];
}

// What commands and runs got later does not count.
test.each(histories)("%s is followed as it was then", (name) => {
  const lines = readFileSync(new URL(name, folder), "utf8").trim().split("\n");
  const { run } = JSON.parse(lines.pop()!) as { run: object };
  const projection = new RunProjection();
  for (const line of lines) {
    const { event, commands, pending } = JSON.parse(line) as Line;
    const given = projection.tryApply(fromJson(EventSchema, event)) ?? null;
    if (commands === null) expect(given).toBeNull();
    else expect(given).toMatchObject(commands);
    expect(projection.machine.pending()).toMatchObject(pending);
  }
  expect(toJson(RunSchema, projection.run())).toMatchObject(run);
});
