import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

interface Published {
  readonly components: { readonly schemas: Readonly<Record<string, SchemaNode>> };
}

interface SchemaNode {
  readonly $ref?: string;
  readonly allOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

const FILE = new URL("../../../third_party/openai/requests.json", import.meta.url);
// `nullable` is of OpenAPI 3.0, but still in a file of 3.1.
const published = JSON.parse(readFileSync(FILE, "utf8"), (_key, node: unknown) => withNull(node)) as Published;

// OpenAPI's own words (discriminator) are in it, hence not strict.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: "openai", ...published });

/** A check against one of OpenAI's published request schemas, in which an unknown field is a fault, as it is at the vendor. */
export function publishedShape(name: string): (body: unknown) => string[] {
  // Compiled at first use: whoever simulates another vendor need not wait for it.
  let validate: ValidateFunction | undefined;
  const known = propertiesOf({ $ref: `#/components/schemas/${name}` });
  return (body) => {
    validate ??= ajv.compile({ $ref: `openai#/components/schemas/${name}` });
    return [...unknownFields(body, known), ...faultsOf(validate, body)];
  };
}

function withNull(node: unknown): unknown {
  if (typeof node !== "object" || node === null || !("nullable" in node)) return node;
  const { nullable, ...schema } = node;
  return nullable === true ? { anyOf: [schema, { type: "null" }] } : schema;
}

function unknownFields(body: unknown, known: ReadonlySet<string>): string[] {
  const names = typeof body === "object" && body !== null ? Object.keys(body) : [];
  return names.filter((name) => !known.has(name)).map((name) => `${name}: unknown parameter`);
}

function faultsOf(validate: ValidateFunction, body: unknown): string[] {
  if (validate(body)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || "the body"}: ${message}`);
}

function propertiesOf(node: SchemaNode): Set<string> {
  const target = node.$ref === undefined ? node : published.components.schemas[node.$ref.split("/").at(-1) ?? ""];
  const names = Object.keys(target?.properties ?? {});
  return new Set([...names, ...(target?.allOf ?? []).flatMap((part) => [...propertiesOf(part)])]);
}
