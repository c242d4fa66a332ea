import { type EntityName, entityOf } from "./entities.ts";
import { type NameSignal, speaksOfMeasure, wordsOf } from "./name-signal.ts";
import type { Match, Observation } from "./observe.ts";
import { RECOGNIZERS, type Recognizer } from "./recognizers.ts";
import { THINGS } from "./taxonomy.ts";

/** What speaks for a verdict. */
export type Basis = "values" | "name" | "values and name" | "text inside values" | "not looked at";

/** A column that holds personal data, or may. */
export interface Verdict {
  column: string;
  entity: EntityName;
  /** From 0 to 1; see {@link verdictOf}. */
  confidence: number;
  basis: Basis;
  /** The value signal, where it spoke for this entity. */
  match?: Match;
  /** The name signal, where it spoke for this entity. */
  name?: NameSignal;
  observation: Observation;
}

/** From here on a column is reported: more likely than not. */
export const THRESHOLD = 0.5;

/** How often a name of that strength is right where the values do not object. */
const NAME_CONFIDENCE = { strong: 0.9, likely: 0.6, vague: 0.3 } as const;
/** What is left of it where there is no value to ask. */
const UNSEEN_FACTOR = 0.75;
/** Entities of which nearly every person has another one: a handful of values in many rows are categories. */
const IDENTIFYING = new Set<string>([
  "email",
  "phone",
  "person_name",
  "street_address",
  "username",
  "credential",
  "national_id",
  "payment_card",
  "bank_account",
]);
/** Rules that hold for more than this share of random values only refute; passing them proves nothing. */
const WEAK_RULE = 0.3;
const GENERIC = new Set<EntityName>([
  "national_id",
  "bank_account",
  "password",
  "device_fingerprint",
  "geo_coordinate",
]);

const byKey = new Map(RECOGNIZERS.map((one) => [one.key, one]));

/**
 * Joins the three signals of a column; `undefined` where it is not personal data. The confidence is
 * `1 - (1 - values) * (1 - name)`: either signal may be enough, both together are surer. `values` is the recognizer's
 * specificity, times how much of the column matches, times the chance that the check digits pass by accident
 * (Chernoff's bound); `name` is the strength of the name, taken back where the values do not fit it.
 */
export function verdictOf(observation: Observation, name: NameSignal | undefined): Verdict | undefined {
  if (observation.status === "timeout") return unlooked(observation, name);
  const named = name ? { signal: name, confidence: nameConfidence(observation, name) } : undefined;
  const candidates: Verdict[] = observation.matches.map((match) => fromMatch(observation, match, named));
  if (named) candidates.push(fromName(observation, named));
  const inside = fromText(observation);
  if (inside) candidates.push(inside);
  const best = candidates.reduce<Verdict | undefined>(
    (top, one) => (top === undefined || one.confidence > top.confidence ? one : top),
    undefined,
  );
  return best && best.confidence >= THRESHOLD ? best : undefined;
}

type Named = { signal: NameSignal; confidence: number };

/** A column nobody could look at is treated as personal: never pass on a timeout. */
function unlooked(observation: Observation, name: NameSignal | undefined): Verdict {
  const confidence = name ? NAME_CONFIDENCE[name.strength] * UNSEEN_FACTOR : 0;
  if (!name || confidence < THRESHOLD) {
    return {
      column: observation.column,
      entity: "unscanned",
      confidence: THRESHOLD,
      basis: "not looked at",
      observation,
    };
  }
  return { column: observation.column, entity: name.entity, confidence, basis: "name", name, observation };
}

function nameConfidence(observation: Observation, name: NameSignal): number {
  const base = NAME_CONFIDENCE[name.strength];
  if (observation.status === "empty") return base * UNSEEN_FACTOR;
  if ((observation.fits ?? 1) < 0.5) return 0;
  return isCategorical(observation) && IDENTIFYING.has(entityOf(name.entity).kind) ? base * 0.4 : base;
}

function fromName(observation: Observation, { signal, confidence }: Named): Verdict {
  // Check digits that pass no more often than by chance say: not the real number, though perhaps a made-up one.
  const own = observation.matches.find((one) => byKey.get(one.key)?.entity === signal.entity);
  const recognizer = own && byKey.get(own.key);
  const refuted = own && recognizer?.chance !== undefined && own.tested >= 30 && excess(own, recognizer) < 0.1;
  return {
    column: observation.column,
    entity: signal.entity,
    confidence: refuted ? confidence * 0.7 : confidence,
    basis: "name",
    name: signal,
    ...(own ? { match: own } : {}),
    observation,
  };
}

function fromMatch(observation: Observation, match: Match, named: Named | undefined): Verdict {
  const recognizer = byKey.get(match.key);
  if (!recognizer) throw new TypeError(`no recognizer "${match.key}"`);
  const { entity } = recognizer;
  const values = valueConfidence(observation, match, recognizer);
  const agrees = named && values > 0 && (named.signal.entity === entity || isGenericOf(named.signal.entity, entity));
  return {
    column: observation.column,
    entity,
    confidence: agrees ? 1 - (1 - values) * (1 - named.confidence) : values,
    basis: agrees ? "values and name" : "values",
    match,
    ...(agrees ? { name: named.signal } : {}),
    observation,
  };
}

function isGenericOf(generic: EntityName, specific: EntityName): boolean {
  return GENERIC.has(generic) && entityOf(generic).kind === entityOf(specific).kind;
}

/** Share of the candidates that pass beyond what chance explains. */
function excess({ valid }: Match, { chance = 0 }: Recognizer): number {
  if (chance >= WEAK_RULE) return valid >= 0.5 ? valid : 0;
  return Math.max(0, (valid - chance) / (1 - chance));
}

/** Bound on the probability that so many of `n` candidates pass by accident: exp(-n KL(p || c)), Chernoff 1952. */
export function luck(p: number, c: number, n: number): number {
  if (p <= c) return 1;
  const divergence = p * Math.log(p / c) + (p < 1 ? (1 - p) * Math.log((1 - p) / (1 - c)) : 0);
  return Math.exp(-n * divergence);
}

function valueConfidence(observation: Observation, match: Match, recognizer: Recognizer): number {
  const { specificity, chance, entity } = recognizer;
  const coverage = match.share * excess(match, recognizer);
  if (coverage < neededCoverage(recognizer)) return 0;
  if (entity === "person_name" && observation.distinct < 3) return 0;
  const accident = chance !== undefined && chance < WEAK_RULE ? luck(match.valid, chance, match.tested) : 0;
  const categories = entity === "person_name" && isCategorical(observation);
  const doubt = categories || (specificity < 0.9 && contradicts(observation.column, entity)) ? 0.4 : 1;
  return specificity * Math.min(1, 0.6 + coverage / 2) * (1 - accident) * doubt;
}

/** Share of a column that must match: little where the form is proof, more where check digits or words may be luck. */
function neededCoverage({ entity, chance, specificity }: Recognizer): number {
  if (entity === "person_name" || (chance !== undefined && chance < WEAK_RULE && specificity >= 0.9)) return 0.3;
  return specificity >= 0.9 ? 0.02 : 0.5;
}

/** A handful of values in many rows. */
function isCategorical({ distinct, present }: Observation): boolean {
  return distinct <= 5 && present >= 100;
}

/** Whether the name says that the column holds a measure, or a thing where a person is suspected. */
function contradicts(column: string, entity: EntityName): boolean {
  if (speaksOfMeasure(column)) return true;
  return entity === "person_name" && wordsOf(column).some((word) => THINGS.has(word));
}

/** Free text with entities inside; the certainty grows with the rows as Laplace's rule of succession has it. */
function fromText(observation: Observation): Verdict | undefined {
  const [first] = observation.embedded;
  if (!first) return undefined;
  const confidence = 0.95 * (first.rows / (first.rows + 1));
  return { column: observation.column, entity: first.entity, confidence, basis: "text inside values", observation };
}
