/** What a prompt says that can be cited. */
export interface Evidence {
  readonly id: string;
  /** The object in which the id stands, as it was written. */
  readonly said: string;
}

/** The innermost JSON objects of a prompt that have a text `id` (or `evidence_id`), in their order, each id once. */
export function evidenceIn(prompt: string): readonly Evidence[] {
  const found = new Map<string, Evidence>();
  for (const [said] of prompt.matchAll(/\{[^{}]*\}/g)) {
    const id = /"(?:evidence_)?id"\s*:\s*"([^"\\]{1,200})"/.exec(said)?.[1];
    if (id !== undefined && !found.has(id)) found.set(id, { id, said });
  }
  return [...found.values()];
}
