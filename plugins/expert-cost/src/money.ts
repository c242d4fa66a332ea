/**
 * An amount of money for people. From a cent on it is rounded half up to cents; below, it keeps two significant digits
 * (`$0.0003`), so that what costs something never shows as `$0.00`.
 */
export function usd(amount: number): string {
  if (amount === 0) return "$0.00";
  // Half a cent in binary is a little less than half a cent: 1.005 has to become 1.01.
  const cents = Math.round(amount * 100 * (1 + Number.EPSILON));
  if (cents >= 1 && amount >= 0.01) return `$${grouped((cents / 100).toFixed(2))}`;
  return `$${plain(amount, 2)}`;
}

/** A quantity or a unit price for people: at most four significant digits, whole numbers in full. */
export function quantity(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 10_000) return grouped(String(Math.round(value)));
  return grouped(plain(value, 4));
}

/** A unit price in full: list prices are never rounded. */
export function price(value: number): string {
  return `$${plain(value, 10)}`;
}

function plain(value: number, digits: number): string {
  const rounded = Number(value.toPrecision(digits));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded || 1))));
  const text = rounded.toFixed(Math.min(100, decimals));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function grouped(text: string): string {
  const [whole = "", rest] = text.split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? groups : `${groups}.${rest}`;
}
