/** Payloads are any bytes; the node writes them in Base64. */

export interface Payload {
  shown: string;
  isText: boolean;
  size: number;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** UTF-8 as text, JSON laid out; anything else in hexadecimal. */
export function showBytes(bytes: Uint8Array): Payload {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { shown: laidOut(text), isText: true, size: bytes.length };
  } catch {
    return { shown: toHex(bytes), isText: false, size: bytes.length };
  }
}

export function decodePayload(base64: string | undefined): Payload {
  if (base64 === undefined) return { shown: "", isText: true, size: 0 };
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    return { shown: base64, isText: true, size: base64.length };
  }
  return showBytes(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
}

function laidOut(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
