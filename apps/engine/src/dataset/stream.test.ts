import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Format } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pool } from "./pool.ts";
import type { Source } from "./source.ts";
import { streamOf } from "./stream.ts";
import { runSql } from "./testing/make-data.ts";

const ROWS = 30_000;
let folder: string;
let source: Source;
const pool = new Pool(1);
const limits = () => ({ folder, memoryLimitMb: 256 });

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "stream-")));
  const path = join(folder, "rows.parquet");
  await runSql(`COPY (SELECT i AS id FROM range(${ROWS}) AS r(i)) TO '${path}' (FORMAT parquet)`);
  const file = { path, format: Format.PARQUET, compression: "none" } as const;
  source = (await pool.run({ work: { kind: "prepare", file, name: "rows" }, limits: limits() })) as Source;
});
afterAll(async () => {
  await pool.close();
  await rm(folder, { recursive: true, force: true });
});

describe("rows that a thread hands over", () => {
  it("keep its job open until the last of them was taken, since the job's end would overtake them", async () => {
    let rows = 0;
    let over = false;
    const withheld: (() => void)[] = [];
    const all = Promise.withResolvers<void>();
    const job = pool
      .run({
        work: { kind: "read", source, options: {} },
        limits: limits(),
        hear: (message, answer) => {
          if (message.type !== "batch") return;
          rows += message.batch.rowCount;
          if (rows < ROWS) return answer({ type: "more" });
          withheld.push(() => answer({ type: "more" }));
          all.resolve();
        },
      })
      .then(() => {
        over = true;
      });
    await all.promise;
    await sleep(300);
    expect(over).toBe(false);
    for (const answer of withheld) answer();
    await job;
  });

  it("all come in, however slow their reader is", async () => {
    let rows = 0;
    const work = { kind: "read", source, options: {} } as const;
    for await (const batch of streamOf((hear) => pool.run({ work, limits: limits(), hear }))) {
      rows += batch.rowCount;
      await sleep(50);
    }
    expect(rows).toBe(ROWS);
  });
});
