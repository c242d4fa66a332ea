// F2: an engine dies at a named place, such as between an effect and its record.
import { describe, expect, test } from "vitest";
import { sceneOf, server, source, task } from "./scene-of.ts";

const six = () =>
  source(
    task("a", "effect", { inputs: {} }),
    ...["b", "c", "d"].map((id) => task(id, "effect", { inputs: { share: id }, depends_on: ["a"] })),
    task("e", "effect", { inputs: {}, depends_on: ["b", "c"] }),
    task("f", "effect", { inputs: {}, depends_on: ["e", "d"] }),
  );

describe.skipIf(server === "")("an engine that dies", () => {
  test.each([
    ["between an effect and its record", "task.afterEffect.beforeRecord=exit@3", 1],
    ["before it writes to the journal", "journal.beforeAppend=exit@5", 0],
    ["after it has written to the journal", "journal.afterAppend=exit@5", 0],
  ])("%s goes on under the same keys", async (_, failpoint, repeated) => {
    const scene = await sceneOf();
    const dying = await scene.engine("scene", { env: { ODG_FAILPOINTS: failpoint } });
    const { runId } = await dying.client.startRun({ source: six() });
    const { code } = await dying.running.ended;
    expect(code).toBeNull();
    await scene.engine();
    await scene.settled();
    const { faults, effects, unsuccessful } = await scene.inspect();
    expect(faults).toEqual([]);
    expect(unsuccessful).toBe(0);
    expect(effects.keys).toBe(6);
    expect(effects.calls).toBeGreaterThanOrEqual(6 + repeated);
    const keys = await scene.store.query<{ key: string }>("select distinct key from effects order by key");
    expect(keys.map(({ key }) => key)).toEqual(["a", "b", "c", "d", "e", "f"].map((id) => `${runId}/${id}/1`));
  });
});
