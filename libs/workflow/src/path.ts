/** Keys and indexes that lead from the root to a value. */
export type Path = readonly (string | number)[];

/** A path as issues write it: `tasks[3].depends_on[0]`. */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : joinPath(text, step)),
    "",
  );
}

/** `inputs.file`, or `inputs["a b"]` where the key is no plain name. */
export function joinPath(path: string, key: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return path === "" ? key : `${path}.${key}`;
  return `${path}[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key)}]`;
}
