import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blocksOf, folderOfTest, fromRoot, runHere } from "./blocks.ts";

const ORDERS = "order_id,email,amount\n1,ann@example.com,10.5\n2,bob@example.com,7\n3,eve@example.com,12.25\n";

/** Examples that need nothing but a file of one's own; `data/orders.csv` and `report.html` stand for the reader's. */
const EXAMPLES = [
  ["README.md", "dataset=data/orders.csv"],
  ["CONTRIBUTING.md", "odg validate"],
  ["docs/reference/cli.md", "odg expert list"],
  ["examples/workflows/README.md", "odg validate"],
] as const;

test.each(EXAMPLES)("the commands of %s with %s run", { timeout: 180_000 }, async (page, words) => {
  const folder = folderOfTest({ "orders.csv": ORDERS });
  const shown = blocksOf(page, "sh").find(({ text }) => text.includes(words))?.text ?? "";
  expect(shown).not.toBe("");
  const mine = (name: string) => fromRoot(join(folder, name));
  for (const line of shown.split("\n")) {
    const command = line
      .replaceAll("data/orders.csv", mine("orders.csv"))
      .replaceAll("report.html", mine("report.html"));
    const { code, stderr } = await runHere("bash", ["-c", command], { ODG_STORE_DIR: mine(".odg") });
    // The e-mail column is an error, which is what --fail-on asks for.
    expect(`${line}: ${code}`, stderr).toBe(`${line}: ${line.includes("--fail-on") ? 7 : 0}`);
    if (line.includes("report.html")) expect(existsSync(join(folder, "report.html"))).toBe(true);
  }
});
