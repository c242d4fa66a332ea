import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../logger.ts";
import { PlacementFolder, removeLeftFolders } from "./placement-folder.ts";

const logger = createLogger("silent");

function setUp(): { within: string; make: (name: string) => string } {
  const within = mkdtempSync(join(tmpdir(), "odg-left-"));
  onTestFinished(() => rmSync(within, { recursive: true, force: true }));
  const make = (name: string) => {
    mkdirSync(join(within, name, "1"), { recursive: true });
    return join(within, name);
  };
  return { within, make };
}

/** Number of a process that has ended. */
const gone = () => Number(execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }));

test("the folders of engines that are gone are removed, with all that is in them", async () => {
  const { within, make } = setUp();
  const left = make(`odg-experts-${gone()}-AbCd12`);
  await removeLeftFolders(logger, within);
  expect(existsSync(left)).toBe(false);
});

test("the folder of a living engine is left, and so is whatever else lies there", async () => {
  const { within, make } = setUp();
  const own = await PlacementFolder.make(within);
  const others = [make("odg-experts-notes"), make("odg-expert-1-AbCd12"), make(`odg-experts-${gone()}-toolong1`)];
  await removeLeftFolders(logger, within);
  for (const path of [own.path, ...others]) expect(existsSync(path), path).toBe(true);
});

test("an engine of another container, whose number means nothing here, is alive where it listens", async () => {
  const { within, make } = setUp();
  const folder = make(`odg-experts-${gone()}-AbCd12`);
  const server = createServer().listen(join(folder, "host"));
  await new Promise((resolve) => server.once("listening", resolve));
  await removeLeftFolders(logger, within);
  expect(existsSync(folder)).toBe(true);
  await new Promise((resolve) => server.close(resolve));
  await removeLeftFolders(logger, within);
  expect(existsSync(folder)).toBe(false);
});

test("what a former self with the same number left is removed", async () => {
  const { within, make } = setUp();
  const left = make(`odg-experts-${process.pid}-AbCd12`);
  const yesterday = new Date(Date.now() - 86_400_000);
  utimesSync(left, yesterday, yesterday);
  await removeLeftFolders(logger, within);
  expect(existsSync(left)).toBe(false);
});

test("what an older engine left without a number is removed once it is old", async () => {
  const { within, make } = setUp();
  const young = make("odg-experts-AbCd12");
  const old = make("odg-experts-EfGh34");
  const yesterday = new Date(Date.now() - 86_400_000);
  utimesSync(old, yesterday, yesterday);
  await removeLeftFolders(logger, within);
  expect([existsSync(young), existsSync(old)]).toEqual([true, false]);
});
