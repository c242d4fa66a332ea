/**
 * Runs in a thread of its own. Values may be read here and must not leave: it answers counts.
 *
 * @type {import("@odg/expert-plugin-api").WorkerFunction<{ dataset: string }>}
 */
export default async function countMissing({ dataset }, io) {
  let rows = 0;
  const missing = new Map();
  for await (const batch of io.read(dataset)) {
    rows += batch.rowCount;
    for (const [name, values] of Object.entries(batch.columns)) {
      const count = values.filter((value) => value === null).length;
      missing.set(name, (missing.get(name) ?? 0) + count);
    }
  }
  return { rows, missing: [...missing].sort(([a], [b]) => (a < b ? -1 : 1)) };
}
