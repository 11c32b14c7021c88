/** Order of lists that the node sends whole. */

export type Direction = "asc" | "desc";

export function compare(one: unknown, other: unknown): number {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1;
  if (other === null || other === undefined) return -1;
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}

export function sorted<Row extends object>(
  rows: readonly Row[],
  key: string,
  direction: Direction,
): Row[] {
  const sign = direction === "asc" ? 1 : -1;
  const of = (row: Row): unknown => (row as Record<string, unknown>)[key];
  return [...rows].sort((one, other) => sign * compare(of(one), of(other)));
}

/** `items` with the one at `from` moved to `to`. */
export function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const copy = [...items];
  const [item] = copy.splice(from, 1);
  if (item !== undefined) copy.splice(to, 0, item);
  return copy;
}
