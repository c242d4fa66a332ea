import { describe, expect, it } from "vitest";
import { assembleReport } from "./assemble.ts";
import { withoutCredentials } from "./credentials.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { renderMarkdown } from "./markdown.ts";
import { onboardingInput } from "./testing/fixture.ts";
import { renderText } from "./text.ts";

describe("credentials in a report", () => {
  it.each([
    ["postgres://ann:hunter2@db:5432/orders", "postgres://…@db:5432/orders"],
    ["https://s3.example/a.csv?X-Amz-Signature=abc123&part=2", "https://s3.example/a.csv?X-Amz-Signature=…&part=2"],
    ["s3://data/customers.parquet", "s3://data/customers.parquet"],
    ["SchemaExpert@1.0.0 read https://host/a@b", "SchemaExpert@1.0.0 read https://host/a@b"],
  ])("writes %s as %s", (text, shown) => {
    expect(withoutCredentials(text)).toBe(shown);
  });

  it("stand in no rendering, whichever input or failure named the URI", () => {
    const uri = "postgres://ann:hunter2@db/orders";
    const input = onboardingInput();
    input.run.inputs = { dataset: uri, more: [{ uri }] };
    input.workflow.inputs = { uri };
    input.workflow.tasks[0]!.inputs = { uri };
    Object.assign(input.profiles[0]!.dataset!, { uri, name: "" });
    const report = assembleReport(input);
    const rendered = [renderHtml, renderJson, renderMarkdown, renderText].map((render) => render(report)).join();
    expect(rendered).not.toContain("hunter2");
    expect(rendered).toContain("postgres://…@db/orders");
    expect(input.run.inputs.dataset).toBe(uri);
  });
});
