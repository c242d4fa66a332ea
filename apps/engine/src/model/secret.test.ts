import { format, inspect } from "node:util";
import pino from "pino";
import { describe, expect, it } from "vitest";
import { Secret } from "./secret.ts";

const VALUE = "sk-canary-77";

describe("a secret", () => {
  const secret = new Secret(VALUE);

  it("reveals itself to whoever asks by name", () => {
    expect(secret.reveal()).toBe(VALUE);
  });

  it.each([
    ["String", () => String(secret)],
    ["a template", () => `${secret}`],
    ["JSON", () => JSON.stringify({ secret })],
    ["inspect", () => inspect({ secret }, { depth: 9, showHidden: true })],
    ["format", () => format("%s %o %O %j", secret, secret, secret, secret)],
    ["an error", () => inspect(new Error(`no ${secret}`, { cause: secret }))],
  ])("shows itself redacted in %s", (_name, show) => {
    expect(show()).toContain("[redacted]");
    expect(show()).not.toContain(VALUE);
  });

  it("shows itself redacted in the log, and nowhere when copied", () => {
    const lines: string[] = [];
    pino({}, { write: (line) => lines.push(line) }).info({ secret, deep: { secret } }, "started");
    expect(lines.join("")).toContain("[redacted]");
    expect(lines.join("") + JSON.stringify({ ...secret }) + JSON.stringify(Object.entries(secret))).not.toContain(
      VALUE,
    );
  });

  it.each(["", "two words", "line\nbreak", "schlüssel"])(
    "refuses what cannot stand in a header without repeating it (%j)",
    (value) => {
      expect(() => new Secret(value)).toThrow(/^a key consists of one or more visible ASCII characters$/);
    },
  );
});
