/** Reading JSON Schema, as far as settings need it. */
import { isTree, type Tree } from "./changes";

export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  "x-title-zh"?: string;
  "x-description-zh"?: string;
  /** The same words in Chinese, as plugins write them. */
  "x-zh"?: { title?: string; description?: string };
  /** In words, what is taken. */
  "x-takes"?: string;
  "x-takes-zh"?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
  $ref?: string;
  $defs?: Record<string, Schema>;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
  readOnly?: boolean;
  writeOnly?: boolean;
}

export type Kind =
  | "boolean"
  | "integer"
  | "number"
  | "secret"
  | "text"
  | "long"
  | "choice"
  | "object"
  | "variants"
  | "texts"
  | "list"
  | "map"
  | "other";

const REFERENCES_MAX = 20;

/** Follows references and drops the wrappings that generators put around a plain type. */
export function resolve(schema: Schema, root: Schema): Schema {
  let current = schema;
  for (let step = 0; step < REFERENCES_MAX; step += 1) {
    const above = current;
    if (current.$ref !== undefined) {
      current = { ...lookUp(current.$ref, root), ...without(above, "$ref") };
    } else if (current.allOf?.length === 1 && current.allOf[0] !== undefined) {
      current = { ...current.allOf[0], ...without(above, "allOf") };
    } else if (current.anyOf !== undefined) {
      const [only, ...more] = current.anyOf.filter((form) => form.type !== "null");
      if (only === undefined || more.length > 0) return current;
      current = { ...only, ...without(above, "anyOf") };
    } else return current;
  }
  return current;
}

function without(schema: Schema, name: keyof Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== name));
}

function lookUp(reference: string, root: Schema): Schema {
  let found: unknown = root;
  for (const step of reference.replace(/^#\//, "").split("/")) {
    found = isTree(found) ? found[step] : undefined;
  }
  return isTree(found) ? (found as Schema) : {};
}

function isOf(schema: Schema, type: string): boolean {
  return Array.isArray(schema.type) ? schema.type.includes(type) : schema.type === type;
}

export function kindOf(schema: Schema, root: Schema): Kind {
  if (schema.oneOf !== undefined) return "variants";
  if (schema.enum !== undefined) return "choice";
  if (schema.anyOf !== undefined) return "text";
  if (isOf(schema, "boolean")) return "boolean";
  if (Array.isArray(schema.type) && schema.type.length > 1) return "text";
  if (isOf(schema, "integer")) return "integer";
  if (isOf(schema, "number")) return "number";
  if (isOf(schema, "string")) {
    if (schema.writeOnly === true || schema.format === "password") return "secret";
    return schema.format === "multiline" ? "long" : "text";
  }
  if (isOf(schema, "array")) {
    const item = resolve(schema.items ?? {}, root);
    return isOf(item, "string") && item.enum === undefined ? "texts" : "list";
  }
  if (isOf(schema, "object") || schema.properties !== undefined) {
    if (schema.properties !== undefined) return "object";
    return isTree(schema.additionalProperties) ? "map" : "other";
  }
  return "other";
}

/** What a new value starts as: the keys that tell forms apart, and what must be there. */
export function initial(schema: Schema, root: Schema): unknown {
  const plain = resolve(schema, root);
  if (plain.const !== undefined) return plain.const;
  if (plain.enum?.length === 1) return plain.enum[0];
  switch (kindOf(plain, root)) {
    case "object": {
      const required = plain.required ?? [];
      const entries = Object.entries(plain.properties ?? {})
        .filter(([name, field]) => required.includes(name) || isFixed(resolve(field, root)))
        .map(([name, field]) => [name, initial(field, root)] as const)
        .filter(([, value]) => value !== undefined);
      return Object.fromEntries(entries);
    }
    case "variants":
      return plain.oneOf?.[0] === undefined ? undefined : initial(plain.oneOf[0], root);
    case "list":
    case "texts":
      return [];
    case "map":
      return {};
    default:
      return plain.default ?? undefined;
  }
}

/** A key with only one possible value, such as the mechanism of a form. */
export function isFixed(schema: Schema): boolean {
  return schema.const !== undefined || schema.enum?.length === 1;
}

function fixedValue(schema: Schema): unknown {
  return schema.const ?? schema.enum?.[0];
}

/** Which of several forms a value has: the one whose fixed keys it carries. */
export function variantOf(forms: readonly Schema[], value: unknown, root: Schema): number {
  if (!isTree(value)) return 0;
  const found = forms.findIndex((form) =>
    Object.entries(resolve(form, root).properties ?? {}).every(([name, field]) => {
      const plain = resolve(field, root);
      return !isFixed(plain) || value[name] === fixedValue(plain);
    }),
  );
  return Math.max(found, 0);
}

/** What a form is called: its fixed keys' values. */
export function variantName(form: Schema, root: Schema): string {
  const plain = resolve(form, root);
  const names = Object.values(plain.properties ?? {})
    .map((field) => resolve(field, root))
    .filter(isFixed)
    .map((field) => String(fixedValue(field)));
  return names.join(":") || plain.title || "–";
}

/** The schema at a dotted path below `root`. */
export function schemaAt(root: Schema | undefined, path: string): Schema | undefined {
  if (root === undefined) return undefined;
  let current: Schema | undefined = resolve(root, root);
  for (const step of path === "" ? [] : path.split(".")) {
    const next: Schema | undefined = current?.properties?.[step];
    current = next === undefined ? undefined : resolve(next, root);
  }
  return current;
}

/** A text from a field as the number that it spells, otherwise itself. */
export function numberOrText(text: string): unknown {
  return /^-?\d{1,15}(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

export type { Tree };
