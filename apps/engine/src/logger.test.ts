import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { createLogger } from "./logger.ts";

test("secrets are redacted where the line is written", () => {
  let written = "";
  const stream = new Writable({
    write(chunk, _, next) {
      written += String(chunk);
      next();
    },
  });
  const logger = createLogger("debug", stream);
  const cause = new Error("connect postgres://odg:hunter2@db/odg failed");
  logger.error(
    { hostToken: "hunter2", request: { authorization: "hunter2" }, err: new Error("no store", { cause }) },
    "trouble",
  );
  expect(written).toContain("trouble");
  expect(written).toContain("postgres://odg:[redacted]@db");
  expect(written).not.toContain("hunter2");
});
