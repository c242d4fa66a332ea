import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { testPackage } from "@odg/expert-plugin-api/testing";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

test.each(globSync("plugins/*", { cwd: ROOT }).sort())(
  "%s passes the conformance kit in a process of its own, on the samples that it declares",
  { timeout: 60_000 },
  async (plugin) => {
    const complaints: string[] = [];
    let cases = 0;
    for await (const { name, complaint } of testPackage({ subject: join(ROOT, plugin), placement: "process" })) {
      cases++;
      if (complaint !== undefined) complaints.push(`${name}: ${complaint}`);
    }
    expect(complaints).toEqual([]);
    expect(cases).toBeGreaterThanOrEqual(60);
  },
);
