/** Types and attributes of tags, by Neuron's numbers. */
import type { Tag } from "@edge/api/shapes";

export const TYPES: readonly (readonly [number, string])[] = [
  [1, "INT8"],
  [2, "UINT8"],
  [3, "INT16"],
  [4, "UINT16"],
  [5, "INT32"],
  [6, "UINT32"],
  [7, "INT64"],
  [8, "UINT64"],
  [9, "FLOAT"],
  [10, "DOUBLE"],
  [11, "BIT"],
  [12, "BOOL"],
  [13, "STRING"],
  [14, "BYTES"],
  [16, "WORD"],
  [17, "DWORD"],
  [18, "LWORD"],
];

export const ATTRIBUTES = { read: 1, write: 2, subscribe: 4, static: 8 } as const;
export const STATIC = ATTRIBUTES.static;

export function typeName(type: number): string {
  return TYPES.find(([number]) => number === type)?.[1] ?? String(type);
}

export const NEW_TAG: Tag = { name: "", address: "", type: 3, attribute: 1 };

/** A value as it was typed, for a tag of that type; text that is no number goes as it is and is refused. */
export function typedValue(text: string, type: number): unknown {
  const name = typeName(type);
  if (name === "STRING") return text;
  if (name === "BOOL") return text.trim().toLowerCase() === "true" || text.trim() === "1";
  if (name === "BYTES") return text.split(/[\s,[\]]+/).filter(Boolean).map(Number);
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}
