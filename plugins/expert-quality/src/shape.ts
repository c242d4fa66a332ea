/** A text as runs of one class of characters: `AB-123` is `A2 -1 9 3`. */
interface Run {
  /** `A` capitals, `a` small letters, `9` digits, otherwise the character itself. */
  class: string;
  least: number;
  most: number;
}

/** A regular expression of shapes: classes and lengths of runs, never a letter or digit of a value. */
export interface ShapePattern {
  /** Anchored at both ends; means the same in Python, RE2 and JavaScript. */
  regex: string;
  /** Texts that match it. */
  matched: number;
  /** Texts looked at. */
  texts: number;
}

/** More runs than this make a sentence, not a shape. */
const MOST_RUNS = 12;
/** So many shapes at most are joined into one pattern; more say nothing. */
const MOST_SHAPES = 4;
/** Share of the texts that the pattern has to match to be worth proposing. */
const LEAST_COVERAGE = 0.98;
/** A shape that fewer texts have is left out: its lengths would point at single values. */
const LEAST_TEXTS = 10;

const CLASSES: Record<string, string> = { A: "[A-Z]", a: "[a-z]", "9": "[0-9]" };

/**
 * The pattern that nearly all texts match; `undefined` where they have too many shapes, or letters beyond ASCII, of which
 * Python and RE2 have no common class.
 *
 * @param texts Texts and how often each occurs.
 */
export function shapePattern(texts: Iterable<readonly [string, number]>): ShapePattern | undefined {
  const shapes = new Map<string, { runs: Run[]; count: number }>();
  let total = 0;
  for (const [text, count] of texts) {
    total += count;
    const runs = runsOf(text);
    if (!runs) continue;
    const key = runs.map((run) => run.class).join("");
    const known = shapes.get(key);
    if (known) widen(known, runs, count);
    else if (shapes.size < 10_000) shapes.set(key, { runs, count });
  }
  const ranked = [...shapes].sort(([a, one], [b, other]) => other.count - one.count || (a < b ? -1 : 1));
  const chosen = ranked.filter(([, { count }]) => count >= LEAST_TEXTS).slice(0, MOST_SHAPES);
  const matched = chosen.reduce((sum, [, { count }]) => sum + count, 0);
  if (total === 0 || matched / total < LEAST_COVERAGE) return undefined;
  const bodies = chosen.map(([, { runs }]) => runs.map(source).join(""));
  return { regex: bodies.length === 1 ? `^${bodies[0]}$` : `^(?:${bodies.join("|")})$`, matched, texts: total };
}

function runsOf(text: string): Run[] | undefined {
  const runs: Run[] = [];
  for (const character of text) {
    const kind = classOf(character);
    if (!kind) return undefined;
    const last = runs.at(-1);
    if (last?.class === kind) {
      last.least += 1;
      last.most += 1;
    } else {
      if (runs.length === MOST_RUNS) return undefined;
      runs.push({ class: kind, least: 1, most: 1 });
    }
  }
  return runs.length > 0 ? runs : undefined;
}

function classOf(character: string): string | undefined {
  if (character >= "0" && character <= "9") return "9";
  if (character >= "A" && character <= "Z") return "A";
  if (character >= "a" && character <= "z") return "a";
  return character >= " " && character <= "~" ? character : undefined;
}

function widen(known: { runs: Run[]; count: number }, runs: Run[], count: number): void {
  known.count += count;
  for (const [index, run] of known.runs.entries()) {
    run.least = Math.min(run.least, runs[index]?.least ?? run.least);
    run.most = Math.max(run.most, runs[index]?.most ?? run.most);
  }
}

function source(run: Run): string {
  const one = CLASSES[run.class] ?? (/[a-zA-Z0-9 _@:;,'"<>=!%&~`-]/.test(run.class) ? run.class : `\\${run.class}`);
  if (run.least === run.most) return run.least === 1 ? one : `${one}{${run.least}}`;
  // Lengths that vary may vary more in the next batch: from four on, only the least is kept.
  return run.least === 1 || run.most >= 4
    ? `${one}{1,${Math.max(run.most, 2) * 2}}`
    : `${one}{${run.least},${run.most}}`;
}
