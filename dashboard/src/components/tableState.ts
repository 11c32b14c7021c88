import { useSearchParams } from "react-router";

import type { Capabilities } from "@/api/capabilities";
import type { Query } from "@/api/client";
import type { Page } from "@/api/shapes";
import { sorted, type Direction } from "@/lib/order";

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

/** Whether the node itself can order by that field. */
export function ordersBy(
  capabilities: Capabilities | undefined,
  operation: string,
  key: string,
): boolean {
  return capabilities?.choices(operation, "sort")?.includes(key) ?? false;
}

/** How the node is told the order, where it can order. */
export function orderQuery(
  capabilities: Capabilities | undefined,
  operation: string,
  state: TableState,
): Query | undefined {
  if (state.order === null || !ordersBy(capabilities, operation, state.order.key)) return undefined;
  return { sort: state.order.key, order: state.order.direction };
}

export interface Shown<Row> {
  rows: Row[];
  /** Of all pages; undefined where the node does not count. */
  count: number | undefined;
  hasNext: boolean;
}

interface HowShown<Row> {
  isPaged: boolean;
  isOrderedByNode: boolean;
  /** Rows without this text are left out; of a list that came whole. */
  find?: string;
  rowsOf?: (answer: unknown) => Row[];
}

function found<Row extends object>(rows: Row[], text: string): Row[] {
  if (text === "") return rows;
  const wanted = text.toLowerCase();
  return rows.filter((row) => JSON.stringify(Object.values(row)).toLowerCase().includes(wanted));
}

/** The rows to show of an answer: a page as it is, a whole list ordered and cut here. */
export function pageOf<Row extends object>(
  answer: unknown,
  state: Pick<TableState, "page" | "limit" | "order">,
  how: HowShown<Row>,
): Shown<Row> {
  if (answer === undefined || answer === null) return { rows: [], count: undefined, hasNext: false };
  const paged = answer as Partial<Page<Row>>;
  const list = how.rowsOf?.(answer) ?? (Array.isArray(answer) ? (answer as Row[]) : null);
  if (list === null && how.isPaged) {
    const rows = paged.data ?? [];
    const count = paged.meta?.count;
    const isCounted = count !== undefined && count >= 0;
    return {
      rows,
      count: isCounted ? count : undefined,
      hasNext: paged.meta?.hasnext ?? (isCounted && state.page * state.limit < count),
    };
  }
  let rows = found(list ?? paged.data ?? [], how.find ?? "");
  if (state.order !== null && !how.isOrderedByNode) {
    rows = sorted(rows, state.order.key, state.order.direction);
  }
  const first = (state.page - 1) * state.limit;
  return {
    rows: rows.slice(first, first + state.limit),
    count: rows.length,
    hasNext: first + state.limit < rows.length,
  };
}
