/** Numbers as people read them. One fixed locale, so that a report reads the same on every machine. */
const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const PLAIN = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const SMALL = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });
const MONEY = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
// What is less than half a cent must not look like nothing.
const SMALL_MONEY = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumSignificantDigits: 1,
  maximumSignificantDigits: 2,
});
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A whole number with thousands separators: `199,871`. */
export function formatCount(count: number | bigint): string {
  return COUNT.format(count);
}

/** A number with at most two decimals, or three significant digits where it is small: `1,234.5`, `0.00123`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return value.toExponential(2);
  return (size < 1 ? SMALL : PLAIN).format(value);
}

/** A share from 0 to 1 as per cent. Never says 0% or 100% of what is not quite that: `<0.01%`, `>99.99%`. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return String(share);
  if (share > 0 && share < 0.0001) return "<0.01%";
  if (share < 1 && share > 0.9999) return ">99.99%";
  return `${PLAIN.format(share * 100)}%`;
}

/** Bytes in decimal units: `12.4 MB`. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? COUNT.format(value) : SMALL.format(value)} ${BYTE_UNITS[unit]}`;
}

/** A duration in milliseconds: `840 ms`, `2.43 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${SMALL.format(milliseconds)} ms`;
  if (milliseconds < 59_995) return `${PLAIN.format(milliseconds / 1000)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  return pair(Math.floor(seconds / 3600), "h", Math.round((seconds % 3600) / 60), "min");
}

/** A number with the unit that evidence gives it: `share` as per cent, `bytes`, `ms` and `s` scaled, `USD…` as money. */
export function formatQuantity(value: number, unit: string): string {
  const money = /^USD(?:\/(.+))?$/u.exec(unit);
  if (money !== null && Number.isFinite(value)) return formatMoney(value) + (money[1] ? `/${money[1]}` : "");
  if (unit === "share") return formatShare(value);
  if (unit === "bytes") return formatBytes(value);
  if (unit === "ms") return formatDuration(value);
  if (unit === "s" || unit === "seconds") return formatDuration(value * 1000);
  return unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

function formatMoney(usd: number): string {
  return (usd !== 0 && Math.abs(usd) < 0.005 ? SMALL_MONEY : MONEY).format(usd);
}

/** `1 finding`, `2 findings`; the plural is regular unless given. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
