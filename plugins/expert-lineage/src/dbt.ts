/** `{{ ref('model') }}`, `{{ ref('package', 'model') }}`, `{{ source('schema', 'table') }}`. */
const REFERENCE =
  /\{\{-?\s*(ref|source)\s*\(\s*(['"])([^'"{}]+)\2\s*(?:,\s*(['"])([^'"{}]+)\4\s*)?(?:,[^{}]*)?\)\s*-?\}\}/g;
const TEMPLATE = /\w?(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})\w?/gs;

/** Stands for the part of a name that a template makes: a letter that no SQL uses. */
const PLACEHOLDER = "ǃ";

/** A dbt model as plain SQL. */
export interface DbtModel {
  /** The statement that dbt makes of the file, with as many lines: what it proves stands where the model says it. */
  sql: string;
  /** What the first line of `sql` begins with and the file does not. */
  prefix: string;
}

/**
 * Reads a file as a dbt model: `ref` and `source` become tables, the file's name the target; of other templates only their
 * place is kept. `undefined` where the file names no other model, and so is plain SQL.
 */
export function readDbtModel(name: string, text: string): DbtModel | undefined {
  let references = 0;
  const named = text.replace(REFERENCE, (written, call: string, _quote, first: string, _other, second?: string) => {
    references += 1;
    // ref('package', 'model') names the package first, source('schema', 'table') the schema.
    const parts = call === "ref" ? [second ?? first] : [first, ...(second ? [second] : [])];
    return padded(parts.map((part) => `"${part}"`).join("."), written);
  });
  if (references === 0) return undefined;
  const table = name.replace(/^.*[/\\]/, "").replace(/\.sql$/i, "");
  const sql = named.replace(TEMPLATE, (written, template: string) =>
    written.replace(template, plain(template, { written, table })),
  );
  const prefix = `CREATE TABLE "${table}" AS `;
  // CREATE TABLE needs one query and no end of statement in it.
  return { sql: `${prefix}${sql.replace(/;\s*$/, "")}`, prefix };
}

/** Whether a name was partly made by a template and so is unknown. */
export function isTemplated(name: string): boolean {
  return name.includes(PLACEHOLDER);
}

function plain(template: string, { written, table }: { written: string; table: string }): string {
  if (!template.startsWith("{{") || /^\{\{-?\s*config\b/.test(template)) return padded("", template);
  if (/^\{\{-?\s*this\s*-?\}\}$/.test(template)) return `"${table}"`;
  // `{{ method }}_amount` makes part of a name, any other template a value.
  return written === template ? padded("NULL", template) : PLACEHOLDER.repeat(3);
}

/** The text, with as many lines as what it stands for. */
function padded(text: string, written: string): string {
  return `${text} ${written.replace(/[^\n]/g, "")}`;
}
