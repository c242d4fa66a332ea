const LONGEST = 64;
const FEW_SHAPES_COVER = 0.5;

/** A shape and the number of texts that have it. */
export interface ShapeCount {
  readonly shape: string;
  readonly count: number;
}

/** Shape of a text: every letter becomes `A` or `a`, every digit `9`, ASCII signs stay, anything else is `?`. */
export function shapeOf(text: string): string {
  let shape = "";
  for (const char of text) {
    if (shape.length >= LONGEST) return `${shape}…`;
    shape += shapeOfChar(char);
  }
  return shape;
}

function shapeOfChar(char: string): string {
  if (/\p{Lu}/u.test(char)) return "A";
  if (/[\p{L}\p{M}]/u.test(char)) return "a";
  if (/\p{N}/u.test(char)) return "9";
  return /[ -~]/.test(char) ? char : "?";
}

/** The most frequent shapes. Where texts differ in length so that few share one, every run is one character. */
export function topShapes(texts: readonly string[], limit = 10): ShapeCount[] {
  const exact = texts.map(shapeOf);
  const top = count(exact, limit);
  const covered = top.reduce((sum, { count: n }) => sum + n, 0);
  if (covered >= texts.length * FEW_SHAPES_COVER) return top;
  return count(
    exact.map((shape) => shape.replace(/([Aa9])\1+/g, "$1")),
    limit,
  );
}

function count(shapes: readonly string[], limit: number): ShapeCount[] {
  const counts = new Map<string, number>();
  for (const shape of shapes) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  return [...counts]
    .map(([shape, n]) => ({ shape, count: n }))
    .sort((a, b) => b.count - a.count || (a.shape < b.shape ? -1 : 1))
    .slice(0, limit);
}
