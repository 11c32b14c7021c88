/** Settings of a plugin as its schema describes them. */

interface Choice {
  key: string;
  key_zh?: string;
  value: number | string;
}

export interface SettingField {
  name: string;
  name_zh?: string;
  description?: string;
  description_zh?: string;
  attribute: "required" | "optional";
  type: "int" | "real" | "string" | "bool" | "map" | "file";
  default?: unknown;
  valid?: { min?: number; max?: number; length?: number; map?: Choice[] };
  condition?: { field: string; value?: unknown; values?: unknown[] };
  secret?: boolean;
  multiline?: boolean;
}

export type Values = Record<string, unknown>;

/** The fields of a schema, in its order; it says other things as well. */
export function fieldsOf(schema: Record<string, unknown>): [string, SettingField][] {
  return Object.entries(schema).filter(
    (entry): entry is [string, SettingField] =>
      typeof entry[1] === "object" && entry[1] !== null && "type" in entry[1] && "name" in entry[1],
  );
}

export function defaultsOf(fields: [string, SettingField][]): Values {
  return Object.fromEntries(
    fields
      .filter(([, field]) => field.default !== undefined)
      .map(([name, field]) => [name, field.default]),
  );
}

/** Whether a field is asked for, as the others are. */
export function isAsked(field: SettingField, values: Values): boolean {
  if (field.condition === undefined) return true;
  const { field: other, value, values: several } = field.condition;
  // Some settings are yes or no here and 1 or 0 there.
  const held = values[other];
  return (several ?? [value]).some((each) => each === held || Number(each) === Number(held));
}

/** What is sent: nothing for what is not asked for, or left empty. */
export function filled(fields: [string, SettingField][], values: Values): Values {
  return Object.fromEntries(
    fields
      .filter(([name, field]) => isAsked(field, values) && values[name] !== "")
      .map(([name]) => [name, values[name]])
      .filter(([, value]) => value !== undefined && value !== null),
  );
}
