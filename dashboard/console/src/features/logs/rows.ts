import type { LogRow } from "@console/api/shapes";

/** As many as a browser shows without becoming slow. */
export const ROWS_MAX = 2000;

/** New rows before the others, each once; the oldest go when there are too many. */
export function withNew(rows: readonly LogRow[], fresh: readonly LogRow[]): LogRow[] {
  const known = new Set(rows.map(({ id }) => id));
  const added = fresh.filter(({ id }) => !known.has(id)).reverse();
  return [...added, ...rows].slice(0, ROWS_MAX);
}
