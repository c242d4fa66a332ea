import { expect, test } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

test("every default boots on a bare laptop", () => {
  const { engine, server } = readConfig({});
  expect(engine.store).toMatchObject({ kind: "embedded" });
  expect(engine.dataRoots).toEqual([]);
  expect(engine.experts).toHaveLength(6);
  expect(server).toEqual({ host: "127.0.0.1", port: 50_051, httpPort: 8080, drainMs: 30_000 });
});

test("reads lists, and takes an empty variable for a missing one", () => {
  const { engine } = readConfig({ ODG_DATA_ROOTS: "/a:/b", ODG_EXPERTS: "x, y", ODG_PORT: "" });
  expect(engine.dataRoots).toEqual(["/a", "/b"]);
  expect(engine.experts).toEqual(["x", "y"]);
});

test("names all faults at once and repeats no value", () => {
  const read = () =>
    readConfig({ ODG_PORT: "99999", ODG_LOG_LEVEL: "loud", ODG_DATABASE_URL: "mysql://root:hunter2@host/db" });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/ODG_PORT[\s\S]*ODG_DATABASE_URL[\s\S]*|ODG_DATABASE_URL[\s\S]*ODG_PORT/);
  expect(read).not.toThrow(/hunter2/);
});
