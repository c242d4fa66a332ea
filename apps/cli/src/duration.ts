import { UsageError } from "./usage-error.ts";

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `12h`, `7d`; a plain number is seconds. @throws UsageError that names the flag. */
export function durationMs(flag: string, text: string): number {
  const ms = readDuration(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`${flag} ${text}: use a number of seconds, or 500ms, 30s, 5m, 1h, 7d`);
}

/** The moment of `30m`, `12h`, `7d` before now, or of a date or time such as 2026-11-01. @throws UsageError that names the flag. */
export function momentMs(flag: string, text: string, nowMs: number): number {
  const ago = readDuration(text);
  if (ago !== undefined) return nowMs - ago;
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new UsageError(`${flag} ${text}: use 30m, 12h, 7d, or a date such as 2026-11-01`);
  return at;
}

function readDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? "s"] ?? 1000) : undefined;
}
