// Texts that no one should have to read: lone surrogates and NUL characters.

/** A place in a value: `tasks[3].inputs.name`. Keys that are no plain names stand as `[…]`, since they may hold data. */
export function joinPath(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  if (!/^[A-Za-z_][\w.-]{0,63}$/.test(key)) return `${parent}[…]`;
  return parent === "" ? key : `${parent}.${key}`;
}

/**
 * Path of the first text in a JSON value or a protobuf message, keys included, that holds a lone surrogate or a NUL
 * character; undefined where all texts are sound.
 */
export function pathOfBadText(value: unknown, path = ""): string | undefined {
  if (typeof value === "string") return isSoundText(value) ? undefined : path;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) return firstOf(value, (item, index) => pathOfBadText(item, joinPath(path, index)));
  if (isSetOneof(value)) return pathOfBadText([value.case, value.value], path) && path;
  const isMessage = "$typeName" in value;
  return firstOf(Object.entries(value), ([key, item]) => {
    if (!isSoundText(key)) return joinPath(path, key);
    if (isMessage && key.startsWith("$")) return undefined;
    return pathOfBadText(item, joinPath(path, isMessage ? protoName(key) : key));
  });
}

/** Name of a field in the .proto, from its name in TypeScript: `runId` to `run_id`. */
function protoName(localName: string): string {
  return localName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isSoundText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

// protobuf-es holds a oneof as {case, value}; a user's own object of this very shape merely has a shorter path.
function isSetOneof(value: object): value is { case: string; value: unknown } {
  return "case" in value && "value" in value && Object.keys(value).length === 2 && typeof value.case === "string";
}

function firstOf<T>(items: readonly T[], find: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
