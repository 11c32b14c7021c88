/** What the editor has to know of a rule's text without understanding it; the node does that. */

const QUOTED = String.raw`(?:"[^"]*"|'[^']*')`;
const FROM = new RegExp(String.raw`\bfrom\s+(${QUOTED}(?:\s*,\s*${QUOTED})*)`, "i");

/** What stands behind FROM: topic filters, events, sources. */
export function selectedFrom(sql: string): string[] {
  const list = FROM.exec(withoutComments(sql))?.[1] ?? "";
  return [...list.matchAll(new RegExp(QUOTED, "g"))].map(([text]) => text.slice(1, -1));
}

function withoutComments(sql: string): string {
  return sql.replace(/--[^\n]*/g, " ");
}

export const isEvent = (from: string): boolean => from.startsWith("$events/");
export const isSource = (from: string): boolean => /^\$(bridges|sources)\//.test(from);
/** The id of the source that is meant. */
export const sourceIn = (from: string): string | undefined =>
  /^\$(?:bridges|sources)\/(.+)$/.exec(from)?.[1];
export const isFilter = (from: string): boolean => !isEvent(from) && !isSource(from);

export interface Place {
  /** Both from 1; the column in characters. */
  line: number;
  column: number;
}

/** How the node says a place, in each language. */
const PLACES = [/\bline (\d+), column (\d+)(?::\s*)?/, /第 (\d+) 行第 (\d+) 列：?/];

function foundIn(message: string): RegExpExecArray | null {
  return PLACES.map((place) => place.exec(message)).find((found) => found !== null) ?? null;
}

/** Where the node found the mistake, as its message says it. */
export function placeIn(message: string): Place | null {
  const found = foundIn(message);
  return found === null ? null : { line: Number(found[1]), column: Number(found[2]) };
}

/** The message without its place. */
export function wordsIn(message: string): string {
  const found = foundIn(message);
  return found === null ? message : message.slice(found.index + found[0].length);
}

/** A place as an offset into the text, in the units of JavaScript. */
export function offsetOf(sql: string, { line, column }: Place): number {
  const lines = sql.split("\n");
  const above = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const before = [...(lines[line - 1] ?? "")].slice(0, column - 1).join("");
  return Math.min(above + before.length, sql.length);
}

/** The statement that a new rule starts as. */
export function startingSql(source: string | null): string {
  return `SELECT\n  *\nFROM\n  "${source === null ? "t/#" : `$bridges/${source}`}"`;
}
