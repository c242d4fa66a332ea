/** Keys and indexes that lead from the root to a value. */
export type Path = readonly (string | number)[];

/** Steps of a path that are written out. */
const WRITTEN_STEPS = 12;

/** A path as issues write it: `tasks[3].depends_on[0]`. A long one is cut. */
export function pathText(path: Path): string {
  const join = (text: string, step: string | number) =>
    typeof step === "number" ? `${text}[${step}]` : joinPath(text, step);
  const text = path.slice(0, WRITTEN_STEPS).reduce<string>(join, "");
  return path.length > WRITTEN_STEPS ? `${text}…` : text;
}

/** `inputs.file`, or `inputs["a b"]` where the key is no plain name. */
export function joinPath(path: string, key: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return path === "" ? key : `${path}.${key}`;
  return `${path}[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key)}]`;
}

/** The steps of a path as {@link pathText} writes it; what stands behind a cut is left out. */
export function pathSteps(text: string): Path {
  return [...text.matchAll(/([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g)].map(
    ([, name, index, quoted]) => {
      if (index !== undefined) return Number(index);
      return name ?? String(JSON.parse(quoted ?? '""'));
    },
  );
}
