import { hostname } from "node:os";
import { expect, test } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

test("every default boots on a bare laptop", () => {
  const { engine, server } = readConfig({});
  expect(engine.store).toMatchObject({ kind: "embedded" });
  expect(engine.dataRoots).toEqual([]);
  expect(engine.experts).toHaveLength(6);
  expect(server).toEqual({
    host: "127.0.0.1",
    port: 50_051,
    httpPort: 8080,
    drainMs: 30_000,
    engineName: `${hostname()}:50051`,
  });
});

test("reads lists, and takes an empty variable for a missing one", () => {
  const { engine } = readConfig({ ODG_DATA_ROOTS: "/a:/b", ODG_EXPERTS: "x, y", ODG_PORT: "" });
  expect(engine.dataRoots).toEqual(["/a", "/b"]);
  expect(engine.experts).toEqual(["x", "y"]);
});

test("gives users their weights, and the engine its name", () => {
  const { engine, server } = readConfig({ ODG_USER_WEIGHTS: "alice=2, team=a=0.5", ODG_ENGINE_NAME: "one" });
  expect([...(engine.userWeights ?? [])]).toEqual([
    ["alice", 2],
    ["team=a", 0.5],
  ]);
  expect(server.engineName).toBe("one");
  expect(readConfig({ ODG_PORT: "0" }).server.engineName).toBe(`${hostname()}:${process.pid}`);
  for (const wrong of ["alice", "alice=0", "alice=-1", "=2", "alice=many"])
    expect(() => readConfig({ ODG_USER_WEIGHTS: wrong }), wrong).toThrow(/ODG_USER_WEIGHTS/);
});

test("names all faults at once and repeats no value", () => {
  const read = () =>
    readConfig({ ODG_PORT: "99999", ODG_LOG_LEVEL: "loud", ODG_DATABASE_URL: "mysql://root:hunter2@host/db" });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/ODG_PORT[\s\S]*ODG_DATABASE_URL[\s\S]*|ODG_DATABASE_URL[\s\S]*ODG_PORT/);
  expect(read).not.toThrow(/hunter2/);
});
