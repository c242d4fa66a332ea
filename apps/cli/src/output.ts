import { styleText } from "node:util";
import type { JsonValue } from "@bufbuild/protobuf";
import { toErrorJson } from "@odg/rpc";
import { surroundings } from "./config.ts";

/** A word in a colour, where the stream takes colours. */
export function paint(format: Parameters<typeof styleText>[0], text: string, color: boolean): string {
  return color ? styleText(format, text, { validateStream: false }) : text;
}

/** Data for whoever reads standard output. */
export function printData(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  printData(JSON.stringify(value, null, 2));
}

/** A line for people, on standard error. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What went wrong, for people or as one JSON object; on standard error either way, since standard output is for data. */
export function printError(error: unknown, json: boolean): void {
  const shown = toErrorJson(error);
  if (json) {
    say(JSON.stringify({ error: shown }));
    return;
  }
  const color = surroundings.stderrColor;
  say(`${paint(["red", "bold"], shown.reason, color)}: ${shown.message}`);
  const fields = shown.details.flatMap(violationsOf);
  if (fields.length > 1) for (const field of fields) say(`  - ${field}`);
  const hint = shown.details.flatMap(hintOf)[0];
  if (hint) say(`  ${hint}`);
  say(paint("dim", `  ${shown.help}`, color));
}

function violationsOf(detail: JsonValue): string[] {
  const { fieldViolations } = detail as { fieldViolations?: { description?: string }[] };
  return (fieldViolations ?? []).map(({ description = "" }) => description);
}

function hintOf(detail: JsonValue): string[] {
  const { metadata } = detail as { metadata?: Record<string, string> };
  return metadata?.hint ? [metadata.hint] : [];
}

/** Rows as aligned columns; the last one is not padded. */
export function table(rows: string[][]): string {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
