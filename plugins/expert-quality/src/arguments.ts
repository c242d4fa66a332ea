import { comparable, type Kind, millisOf } from "./kinds.ts";
import { RuleError } from "./rule.ts";

type Arguments = Record<string, unknown>;

/** Bounds of a `…_to_be_between`, in the form that the column's values have. */
export interface Bounds {
  holds(value: unknown): boolean;
}

/**
 * Bounds from `min_value`, `max_value`, `strict_min`, `strict_max`.
 *
 * @throws RuleError without a bound.
 */
export function boundsOf(kwargs: Arguments, kind?: Kind): Bounds {
  const [low, high] = [bound(kwargs.min_value, kind), bound(kwargs.max_value, kind)];
  if (low === undefined && high === undefined) throw new RuleError("min_value and max_value cannot both be None");
  const { strict_min: strictMin, strict_max: strictMax } = kwargs;
  return {
    holds(value) {
      const one = comparableTo(value, low ?? high, kind);
      if (low !== undefined && (strictMin ? !(one > low) : !(one >= low))) return false;
      return high === undefined || (strictMax ? one < high : one <= high);
    },
  };
}

function bound(value: unknown, kind?: Kind): number | string | undefined {
  if (value === null || value === undefined) return undefined;
  if (kind === "time") {
    const millis = millisOf(value);
    if (millis === null) throw new RuleError("a bound of a time column is no time");
    return millis;
  }
  if (typeof value === "number" || typeof value === "string") return value;
  throw new RuleError("a bound is neither a number nor a text");
}

function comparableTo(value: unknown, other: number | string | undefined, kind?: Kind): number | string {
  const one = kind === "number" || kind === "time" ? comparable(value, kind) : value;
  if (typeof one !== typeof other || (typeof one !== "number" && typeof one !== "string")) {
    throw new RuleError("values and bounds cannot be compared: they are of different types");
  }
  return one;
}

/** A number argument. @throws RuleError where it is none. */
export function numberOf(kwargs: Arguments, name: string): number {
  const value = kwargs[name];
  if (typeof value === "number") return value;
  throw new RuleError(`${name} must be a number`);
}

/** A list argument. @throws RuleError where it is none. */
export function listOf(kwargs: Arguments, name: string): unknown[] {
  const value = kwargs[name];
  if (Array.isArray(value)) return value;
  throw new RuleError(`${name} must be a list`);
}

/** A list of texts. @throws RuleError where it is none. */
export function textsOf(kwargs: Arguments, name: string): string[] {
  const list = listOf(kwargs, name);
  if (list.every((one): one is string => typeof one === "string")) return list;
  throw new RuleError(`${name} must be a list of texts`);
}

/** A regular expression that is looked for anywhere in the text, as pandas does. @throws RuleError where it does not compile. */
export function patternOf(source: unknown): RegExp {
  if (typeof source !== "string") throw new RuleError("a regex must be a text");
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new RuleError("a regex does not compile", { cause });
  }
}

/** Whether a pattern of {@link patternOf} is found in a value. */
export function found(pattern: RegExp, value: unknown): boolean {
  return pattern.test(String(value));
}
