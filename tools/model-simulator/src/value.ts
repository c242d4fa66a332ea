/** A value that fits a JSON Schema and says what the evidence says. */
import { between, type Chance } from "./chance.ts";
import type { Evidence } from "./evidence.ts";

type Schema = Readonly<Record<string, unknown>>;

interface Place {
  readonly root: Schema;
  readonly chance: Chance;
  readonly evidence: readonly Evidence[];
  /** Which piece of evidence this part of the value is about. */
  readonly about: number;
  /** Name of the property. */
  readonly name: string;
  readonly depth: number;
}

export interface ValueOptions {
  readonly chance: Chance;
  readonly evidence: readonly Evidence[];
}

/** Schemas may refer to themselves: below this, optional properties are left out and lists are as short as may be. */
const DEEP = 6;
const DEEPEST = 40;

/** @throws RangeError for a schema that no finite value fits. */
export function composeValue(schema: Schema, options: ValueOptions): unknown {
  return build(schema, { ...options, root: schema, about: 0, name: "", depth: 0 });
}

function build(node: unknown, place: Place): unknown {
  if (place.depth > DEEPEST) throw new RangeError("a schema that refers to itself has no end");
  const schema = resolve(node, place.root);
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[between(place.chance, 0, schema.enum.length - 1)];
  const variants = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(variants)) return build(variants[0], { ...place, depth: place.depth + 1 });
  if (Array.isArray(schema.allOf)) return build(merged(schema.allOf, place.root), { ...place, depth: place.depth + 1 });
  return ofType(Array.isArray(schema.type) ? schema.type[0] : schema.type, schema, place);
}

function ofType(type: unknown, schema: Schema, place: Place): unknown {
  switch (type) {
    case "object":
      return objectOf(schema, place);
    case "array":
      return listOf(schema, place);
    case "integer":
    case "number":
      return numberOf(schema, type === "integer", place);
    case "boolean":
      return place.chance() < 0.5;
    case "null":
      return null;
    default:
      return textOf(schema, place);
  }
}

function resolve(node: unknown, root: Schema): Schema {
  let schema = (typeof node === "object" && node !== null ? node : {}) as Schema;
  for (let hops = 0; typeof schema.$ref === "string" && hops < DEEPEST; hops++) {
    const steps = schema.$ref.split("/").slice(1);
    schema = steps.reduce<Schema>((at, step) => (at[step] ?? {}) as Schema, root);
  }
  return schema;
}

function merged(parts: readonly unknown[], root: Schema): Schema {
  const schemas = parts.map((part) => resolve(part, root));
  return {
    ...Object.assign({}, ...schemas),
    properties: Object.assign({}, ...schemas.map(({ properties }) => properties)),
    required: schemas.flatMap(({ required }) => (Array.isArray(required) ? required : [])),
  };
}

function objectOf(schema: Schema, place: Place): Record<string, unknown> {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const properties = Object.entries((schema.properties ?? {}) as Schema);
  const wanted = properties.filter(([name]) => place.depth < DEEP || required.includes(name));
  return Object.fromEntries(
    wanted.map(([name, child]) => [name, build(child, { ...place, name, depth: place.depth + 1 })]),
  );
}

/** One element for each piece of evidence, as far as the schema allows; citations cite one. */
function listOf(schema: Schema, place: Place): unknown[] {
  const least = typeof schema.minItems === "number" ? schema.minItems : 0;
  const most = typeof schema.maxItems === "number" ? schema.maxItems : Math.max(least, 3);
  const wanted = place.depth >= DEEP ? 0 : isCitation(place.name) ? 1 : place.evidence.length;
  const length = Math.max(least, Math.min(most, wanted));
  return Array.from({ length }, (_, index) =>
    build(schema.items, { ...place, about: isCitation(place.name) ? place.about : index, depth: place.depth + 1 }),
  );
}

function numberOf(schema: Schema, whole: boolean, { chance }: Place): number {
  const limit = (name: string, exclusive: string, step: number): number | undefined => {
    const open = schema[exclusive];
    if (typeof open === "number") return open + (whole ? step : step / 1000);
    return typeof schema[name] === "number" ? (schema[name] as number) : undefined;
  };
  const least = limit("minimum", "exclusiveMinimum", 1) ?? Math.min(0, limit("maximum", "exclusiveMaximum", -1) ?? 0);
  const most = limit("maximum", "exclusiveMaximum", -1) ?? least + (whole ? 100 : 1);
  if (whole) return between(chance, Math.ceil(least), Math.floor(most));
  return Math.min(most, Math.max(least, Math.round((least + chance() * (most - least)) * 1000) / 1000));
}

const FORMATS: Readonly<Record<string, string>> = {
  date: "2026-01-01",
  "date-time": "2026-01-01T00:00:00Z",
  time: "00:00:00Z",
  duration: "P1D",
  email: "nobody@example.org",
  hostname: "example.org",
  uri: "https://example.org/",
  uuid: "00000000-0000-4000-8000-000000000000",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
};

function textOf(schema: Schema, { evidence, about, name }: Place): string {
  const fixed = typeof schema.format === "string" ? FORMATS[schema.format] : undefined;
  if (fixed !== undefined) return fixed;
  const piece = evidence[about % Math.max(1, evidence.length)];
  const text = isCitation(name)
    ? (piece?.id ?? "none")
    : `The simulator read ${piece?.said ?? "no evidence"} for ${name || "this"}.`;
  const most = typeof schema.maxLength === "number" ? schema.maxLength : 2_000;
  const least = typeof schema.minLength === "number" ? schema.minLength : 0;
  return text.slice(0, most).padEnd(least, ".");
}

function isCitation(name: string): boolean {
  return /evidence|cite|citation|source_?ids?$/i.test(name);
}
