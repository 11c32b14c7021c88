/** How the node is asked for a page of a list, and what of its answer is shown. */
import type { Capabilities } from "@/api/capabilities";
import type { Query } from "@/api/client";
import type { Page } from "@/api/shapes";
import { sorted } from "@/lib/order";

import type { Shown, TableState } from "./tableState";

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
