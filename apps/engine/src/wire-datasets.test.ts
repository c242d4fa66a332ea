// The rows of the table of bad input about data (B25 to B27), over real sockets.
import { copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonName } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { watchToEnd, workflowOf } from "./testing/index.ts";
import { probeTask, ServedEngine } from "./testing/served-engine.ts";

let served: ServedEngine;
beforeAll(async () => {
  served = await ServedEngine.start();
});
afterAll(() => served?.close());

describe("a path that leads out of the data roots (B25)", () => {
  const SECRET = "s3cretname";
  const paths = () => [
    `../../../../../../etc/${SECRET}`,
    "../../etc/passwd",
    "/etc/passwd",
    `file:///etc/${SECRET}`,
    `%2e%2e/%2e%2e/etc/${SECRET}`,
    `..%2f..%2f${SECRET}`,
    `\\\\server\\share\\${SECRET}.csv`,
    `//server/share/${SECRET}.csv`,
    `C:\\data\\${SECRET}.csv`,
    `c:/data/${SECRET}.csv`,
    join(served.lake, "link.csv"),
    join(served.lake, "folder", "secret.csv"),
    join(served.lake, "..", `${SECRET}.csv`),
    served.lake,
  ];

  beforeAll(() => {
    writeFileSync(join(served.outside, "secret.csv"), "a,b\n1,2\n");
    symlinkSync(join(served.outside, "secret.csv"), join(served.lake, "link.csv"));
    symlinkSync(served.outside, join(served.lake, "folder"));
  });

  it("is refused, and not echoed", async () => {
    for (const path of paths()) {
      const answer = await served.onboard(path);
      expect(answer, path).toMatchObject({ status: 400, code: "invalid_argument", reason: "PATH_NOT_ALLOWED" });
      expect(answer.fields, path).toEqual(["inputs.dataset"]);
      expect(answer.text, path).not.toContain(SECRET);
      expect(answer.text, path).not.toContain("passwd");
      expect(answer.text, path).not.toContain(served.lake);
    }
  });

  it("is refused where it holds a NUL", async () => {
    const answer = await served.onboard(`${join(served.lake, "orders.parquet")}\0.csv`);
    expect(answer.status).toBe(400);
    expect(["PATH_NOT_ALLOWED", "BAD_ENCODING"]).toContain(answer.reason);
  });

  it("is refused where a task names it", async () => {
    const tasks = [{ id: "a", expert: "SchemaExpert", action: "analyze_schema", inputs: { file_path: "/etc/passwd" } }];
    const answer = await served.start({ workflow: { workflow_id: "w", tasks } });
    expect(answer).toMatchObject({ reason: "PATH_NOT_ALLOWED", fields: ["workflow.tasks[0].inputs.file_path"] });
  });

  it("fails the task where an expression made it", async () => {
    const tasks = [
      probeTask("a", { inputs: { value: "/etc/passwd" } }),
      {
        id: "b",
        expert: "SchemaExpert",
        action: "analyze_schema",
        depends_on: ["a"],
        inputs: { dataset: `\${tasks.a.output.input.value}` },
      },
    ];
    const { run } = await served.engine.run({ source: { case: "workflow", value: workflowOf(tasks) } });
    expect(reasonName(run.tasks[1]?.failure?.reason ?? 0)).toBe("PATH_NOT_ALLOWED");
    expect(run.tasks[1]?.failure?.message).not.toContain("passwd");
  });
});

describe("an address of a server (B26)", () => {
  it.each([
    "http://169.254.169.254/latest",
    "https://127.1/x",
    "http://[::ffff:7f00:1]/",
    "http://0x7f000001/",
    "s3://bucket/key.parquet",
  ])("is denied for %s", async (uri) => {
    const answer = await served.onboard(uri);
    expect(answer).toMatchObject({ status: 403, code: "permission_denied", reason: "EGRESS_DENIED" });
    expect(answer.text).not.toContain(uri);
  });
});

describe("a broken or oversized file (B27)", () => {
  async function refusal(name: string): Promise<string> {
    const answer = await served.onboard(join(served.lake, name));
    if (answer.status !== 200) return answer.reason;
    const { run } = await watchToEnd(served.runs, (answer.json.run as { runId: string }).runId);
    return reasonName(run.failure?.reason ?? 0);
  }
  const write = (name: string, bytes: Uint8Array | string) => writeFileSync(join(served.lake, name), bytes);

  it("is refused as corrupt where a parquet file is cut", async () => {
    const whole = readFileSync(join(served.lake, "orders.parquet"));
    write("cut.parquet", whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect(await refusal("cut.parquet")).toBe("DATA_CORRUPT");
  });

  it("is refused as corrupt where a footer lies", async () => {
    copyFileSync(join(served.lake, "orders.parquet"), join(served.lake, "liar.parquet"));
    const bytes = readFileSync(join(served.lake, "liar.parquet"));
    bytes.writeUInt32LE(0x7fffffff, bytes.length - 8);
    write("liar.parquet", bytes);
    expect(await refusal("liar.parquet")).toBe("DATA_CORRUPT");
  });

  it("is refused as corrupt where its pages are overwritten", async () => {
    const bytes = readFileSync(join(served.lake, "orders.parquet"));
    bytes.fill(0xa5, 4, Math.floor(bytes.length * 0.7));
    write("noise.parquet", bytes);
    expect(await refusal("noise.parquet")).toBe("DATA_CORRUPT");
  });

  it("is refused by its cap where it has 20,000 columns", async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `c${i}`);
    write("wide.csv", `${names.join(",")}\n${names.map(() => "1").join(",")}\n`);
    expect(await refusal("wide.csv")).toBe("DATA_TOO_LARGE");
  });

  it("is refused by its cap where one line has no end", async () => {
    write("line.csv", `a,b\n1,${"x".repeat(80 * 2 ** 20)}`);
    expect(await refusal("line.csv")).toBe("DATA_TOO_LARGE");
    rmSync(join(served.lake, "line.csv"));
  });

  it("is refused where it is empty, or no table at all", async () => {
    write("empty.csv", "");
    write("image.parquet", Buffer.from("89504e470d0a1a0a0000000d", "hex"));
    expect(await refusal("empty.csv")).toBe("DATA_CORRUPT");
    expect(await refusal("image.parquet")).toBe("DATA_UNSUPPORTED");
  });

  it("is not found where there is none", async () => {
    expect(await refusal("no-such.parquet")).toBe("NOT_FOUND");
  });
});
