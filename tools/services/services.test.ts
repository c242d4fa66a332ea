import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SERVICES, servicesNamed } from "./catalogue.ts";
import { SERVICE_VARIABLES, serviceUrl } from "./endpoints.ts";
import { readState, writeState } from "./state.ts";

const folders: string[] = [];

async function stateFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "odg-state-"));
  folders.push(folder);
  return join(folder, "nested", "state.json");
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe("the catalogue of services", () => {
  it("has a variable for every service", () => {
    expect(SERVICES.map((service) => service.name).sort()).toEqual(Object.keys(SERVICE_VARIABLES).sort());
  });

  it("means every service when no name is given", () => {
    expect(servicesNamed([])).toEqual(SERVICES);
  });

  it("names the known services when one is unknown", () => {
    expect(() => servicesNamed(["postgrse"])).toThrow('unknown service "postgrse"; there are postgres, redis');
  });
});

describe("the state of started services", () => {
  const state = { redis: { folder: "/somewhere", env: { ODG_TEST_REDIS_URL: "redis://127.0.0.1:1" } } };

  it("is empty before anything was started", async () => {
    expect(await readState(await stateFile())).toEqual({});
  });

  it("comes back as it was written, and only its owner may read it", async () => {
    const file = await stateFile();
    await writeState(state, file);
    expect(await readState(file)).toEqual(state);
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it("leaves no file behind when nothing is started any more", async () => {
    const file = await stateFile();
    await writeState(state, file);
    await writeState({}, file);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });

  it("says what to do when the file is damaged", async () => {
    const file = await stateFile();
    await writeState(state, file);
    await writeFile(file, "{");
    await expect(readState(file)).rejects.toThrow("stop the servers it names by hand");
  });
});

describe.skipIf(!serviceUrl("redis"))("a started Redis", () => {
  it("is handed to the tests with its password", () => {
    expect(new URL(serviceUrl("redis") ?? "").password).not.toBe("");
  });
});
