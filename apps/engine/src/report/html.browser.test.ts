import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolPath } from "../../../../tools/services/endpoints.ts";
import { assembleReport } from "./assemble.ts";
import { renderHtml } from "./html.ts";
import { failedInput, hostileReport, onboardingReport } from "./testing/fixture.ts";

const CHROMIUM = toolPath("chromium");
const ORIGIN = "http://report.test/";

const VARIANTS = {
  succeeded: onboardingReport(),
  failed: assembleReport(failedInput()),
  hostile: hostileReport(),
};

describe.skipIf(CHROMIUM === undefined)("the HTML report in a browser", () => {
  let browser: Browser;
  let axe: string;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"],
    });
    axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  });

  afterAll(async () => {
    await browser?.close();
  });

  interface Visit {
    page: Page;
    /** Console messages, errors of the page and dialogs. */
    said: string[];
    /** Addresses asked for, the document apart. */
    requests: string[];
  }

  async function open(name: keyof typeof VARIANTS, colorScheme: "light" | "dark", width: number): Promise<Visit> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    const said: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    page.on("dialog", (dialog) => {
      said.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.route("**/*", async (route) => {
      if (route.request().url() === ORIGIN) {
        return route.fulfill({ contentType: "text/html", body: renderHtml(VARIANTS[name]) });
      }
      requests.push(route.request().url());
      return route.abort();
    });
    await page.goto(ORIGIN);
    return { page, said, requests };
  }

  it.each([
    ["succeeded", "light", 1280],
    ["succeeded", "dark", 400],
    ["failed", "dark", 1280],
    ["hostile", "light", 400],
  ] as const)(
    "has no accessibility violation, runs nothing and asks for nothing: %s, %s, %d px",
    async (name, scheme, width) => {
      const { page, said, requests } = await open(name, scheme, width);
      await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
      await page.evaluate(axe);
      const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
      const found = violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join("; ")}`,
      );
      expect(found).toEqual([]);
      expect(said).toEqual([]);
      expect(requests.filter((url) => url !== "data:,")).toEqual([]);
      await page.close();
    },
  );

  it.each(["succeeded", "failed", "hostile"] as const)("is never wider than the screen: %s", async (name) => {
    const { page } = await open(name, "light", 1280);
    for (const width of [1280, 768, 400, 320]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
    await page.close();
  });

  it("shows the findings of one severity alone when it is chosen, by keyboard too", async () => {
    const { page } = await open("succeeded", "light", 1280);
    const groups = (): Promise<string[]> => page.locator(".group:visible h3").allTextContents();
    expect(await groups()).toHaveLength(5);
    await page.getByRole("radio", { name: "Error 4" }).check();
    expect((await groups()).join()).toMatch(/^✖ Error 4$/u);
    await page.keyboard.press("ArrowRight");
    expect((await groups()).join()).toMatch(/^▲ Warning 6$/u);
    await page.getByRole("radio", { name: "All 23" }).check();
    expect(await groups()).toHaveLength(5);
    await page.close();
  });

  it("leads from a task in the graph to its row", async () => {
    const { page } = await open("succeeded", "light", 1280);
    await page.locator(".dag a", { hasText: "cost_estimation" }).click();
    expect(new URL(page.url()).hash).toBe("#task-4");
    await page.close();
  });

  it("prints what is folded away on the screen, in light colours", async () => {
    const { page } = await open("succeeded", "dark", 1280);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.getByText("values that begin with 0").isVisible()).toBe(true);
    expect(await page.getByText("pii_columns").isVisible()).toBe(true);
    expect(await page.locator("fieldset").isVisible()).toBe(false);
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    await page.close();
  });
});
