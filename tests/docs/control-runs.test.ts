// What the guide to controlling runs says, done in its order against an engine.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenHouse, openHouse } from "../clients/open-house.ts";
import { blocksOf, documentText, type Ended, fromRoot, namedFiles, runHere, writeFolder } from "./blocks.ts";

const GUIDE = "docs/guides/control-runs.md";
const [SERVER = "", ...COMMANDS] = blocksOf(GUIDE, "sh").map(({ text }) => text);

let folder: string;
let house: OpenHouse;
let ended: Ended;

beforeAll(async () => {
  folder = writeFolder(namedFiles(GUIDE));
  const experts = /ODG_EXPERTS=(\S+)/.exec(SERVER)?.[1] ?? "";
  house = await openHouse({ engine: { ODG_DATA_ROOTS: join(folder, "shop"), ODG_EXPERTS: experts } });
  const script = COMMANDS.map((text, block) => `echo "== ${block}"\n${text}`)
    .join("\n")
    .replaceAll(/\bnpx /g, "")
    .replaceAll("http://127.0.0.1:50051", house.engine.grpc)
    .replaceAll("shop/", `${fromRoot(folder)}/shop/`);
  ended = await runHere("bash", ["-e", "-o", "pipefail", "-c", script]);
}, 180_000);
afterAll(async () => {
  await house?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the block that holds a word has printed. */
function saidBy(word: string): string {
  const block = COMMANDS.findIndex((text) => text.includes(word));
  expect(block, `the guide has a block with ${word}`).toBeGreaterThan(-1);
  return ended.stdout.split(`== ${block}\n`)[1]?.split(/^== /m)[0] ?? "";
}

describe("the guide to controlling runs", () => {
  it("starts an engine by a script that there is, and every command succeeds", () => {
    const { scripts } = JSON.parse(documentText("package.json")) as { scripts: Record<string, string> };
    expect(SERVER).toMatch(/npm run engine$/);
    expect(scripts.engine).toContain("apps/engine/src/main.ts");
    expect(ended.code, ended.stderr).toBe(0);
  });

  it("pauses a run, finds it, and lets it go on", () => {
    expect(saidBy("odg pause")).toMatch(/ paused\n[\s\S]* paused [\s\S]* running\n/);
  });

  it("asks what the workflow asks, and takes the consent of somebody else", () => {
    const said = saidBy("odg approvals");
    expect(said).toContain("May we look into orders.csv?");
    expect(said).toContain("consent: granted by dora");
    expect(said).toContain("SUCCEEDED");
  });

  it("takes results over", () => {
    expect(saidBy("odg fork")).toContain("SUCCEEDED");
    expect(ended.stderr).toContain("✔ schema: taken over");
  });

  it("tells two versions apart, and passes over the one that is deprecated", () => {
    expect(saidBy("odg workflow diff")).toContain("~ tasks.consent.approval.approvers: ");
    expect(saidBy("odg workflow deprecate")).toContain("deprecated: fay has left");
  });

  it("keeps a draft and throws it away", () => {
    expect(saidBy("draft save")).toMatch(/saved, etag [\s\S]*"publish_table"[\s\S]*its draft is gone/);
  });

  it("keeps a schedule", () => {
    const said = saidBy("schedule create");
    expect(said).toContain("30 2 * * * (Europe/Berlin)");
    expect(said).toMatch(/next +paused/);
    expect(saidBy("schedule delete")).toContain("its runs stay");
  });
});
