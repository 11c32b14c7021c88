import { useSearchParams } from "react-router";

import type { Direction } from "@/lib/order";

export const LIMITS = [20, 50, 100, 500] as const;
const DEFAULT_LIMIT = 20;

export interface Order {
  key: string;
  direction: Direction;
}

export interface TableState {
  page: number;
  limit: number;
  filters: Record<string, string>;
  order: Order | null;
  setPage: (page: number) => void;
  setLimit: (limit: number) => void;
  setFilter: (name: string, value: string) => void;
  clear: () => void;
  toggleOrder: (key: string) => void;
}

function whole(text: string | null, otherwise: number): number {
  const value = Number.parseInt(text ?? "", 10);
  return value >= 1 ? value : otherwise;
}

function orderOf(text: string | null): Order | null {
  if (!text) return null;
  return text.startsWith("-")
    ? { key: text.slice(1), direction: "desc" }
    : { key: text, direction: "asc" };
}

/** Page, filters and order of a table, kept in the address. */
export function useTableState(name: string, filters: readonly { name: string }[]): TableState {
  const [parameters, setParameters] = useSearchParams();
  const key = (word: string) => (name === "" ? word : `${name}.${word}`);
  const change = (changes: Record<string, string | null>) => {
    setParameters(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [word, value] of Object.entries(changes)) {
          if (value === null || value === "") next.delete(key(word));
          else next.set(key(word), value);
        }
        return next;
      },
      { replace: true },
    );
  };
  const order = orderOf(parameters.get(key("order")));
  return {
    page: whole(parameters.get(key("page")), 1),
    limit: whole(parameters.get(key("limit")), DEFAULT_LIMIT),
    filters: Object.fromEntries(
      filters.map((filter) => [filter.name, parameters.get(key(filter.name)) ?? ""]),
    ),
    order,
    setPage: (page) => change({ page: page === 1 ? null : String(page) }),
    setLimit: (limit) => change({ limit: String(limit), page: null }),
    setFilter: (word, value) => change({ [word]: value, page: null }),
    clear: () =>
      change({ ...Object.fromEntries(filters.map((filter) => [filter.name, null])), page: null }),
    toggleOrder: (by) => {
      const isSame = order?.key === by;
      const next = !isSame ? by : order.direction === "asc" ? `-${by}` : null;
      change({ order: next, page: null });
    },
  };
}

export interface Shown<Row> {
  rows: Row[];
  /** Of all pages; undefined where nobody counts. */
  count: number | undefined;
  hasNext: boolean;
}
