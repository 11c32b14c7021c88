/** A value as it is shown: whole numbers in hexadecimal where wanted, bytes as bytes. */
import { formatAny } from "@/lib/format";

export function shownValue(value: unknown, isHex: boolean): string {
  if (Array.isArray(value)) return value.map((byte) => hex(Number(byte), 2)).join(" ");
  if (isHex && typeof value === "number" && Number.isInteger(value)) {
    return value < 0 ? `-0x${hex(-value, 1)}` : `0x${hex(value, 1)}`;
  }
  return formatAny(value);
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

const BOOL = 12;
const STRING = 13;
const BYTES = 14;

/** What was typed, as the type of the tag has it; `undefined`: it is none of that type. */
export function typedValue(text: string, type: number): unknown {
  if (type === STRING) return text;
  const trimmed = text.trim();
  if (type === BOOL) {
    const known: Record<string, boolean> = { true: true, "1": true, false: false, "0": false };
    return known[trimmed.toLowerCase()];
  }
  if (type === BYTES) {
    const bytes = trimmed.split(/[\s,]+/).map((word) => Number.parseInt(word, 16));
    return bytes.every((byte) => byte >= 0 && byte < 256) ? bytes : undefined;
  }
  const number = Number(trimmed);
  return trimmed === "" || Number.isNaN(number) ? undefined : number;
}
