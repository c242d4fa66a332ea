import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants, getPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { lowerProcess } from "./priority.ts";

describe.skipIf(process.platform !== "linux")("what computes for an expert", () => {
  it("stands back as a process, and as the session that it leads", async () => {
    const child = spawn("sleep", ["30"], { detached: true, stdio: "ignore" });
    try {
      const pid = child.pid ?? 0;
      lowerProcess(pid);
      expect(getPriority(pid)).toBe(constants.priority.PRIORITY_BELOW_NORMAL);
      const group = `/proc/${pid}/autogroup`; // Absent where the kernel makes no such groups.
      if (existsSync(group)) expect(readFileSync(group, "utf8")).toMatch(/nice 10$/m);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("stands back as a thread, while the main thread does not", async () => {
    const module = JSON.stringify(new URL("./priority.ts", import.meta.url).href);
    const code = `import(${module}).then(({ lowerThread }) => {
      lowerThread();
      require("node:worker_threads").parentPort.postMessage(require("node:os").getPriority(0));
    });`;
    const before = getPriority(process.pid);
    const nice = await new Promise((resolve, reject) => {
      const worker = new Worker(code, { eval: true });
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    expect(nice).toBe(before + 10);
    expect(getPriority(process.pid)).toBe(before);
  });

  it("may have ended already", () => {
    expect(() => lowerProcess(2 ** 22 + 1)).not.toThrow();
  });
});
