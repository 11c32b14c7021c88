/**
 * A table of the node: asks it for a page, filters there, and keeps page, filters and order in the
 * address, so that a reload or a shared link shows the same.
 */
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useCapabilities } from "@/api/capabilities";
import type { Query } from "@/api/client";
import { useGet } from "@/api/hooks";

import type { Filter } from "./Filters";
import { orderQuery, ordersBy, pageOf } from "./nodePages";
import { TableView, type Column, type TableLook } from "./TableView";
import { useTableState, type TableState } from "./tableState";

export type { Bulk, Column } from "./TableView";

export interface DataTableProps<Row> extends Omit<TableLook<Row>, "cards" | "tools"> {
  path: string;
  pathValues?: Record<string, string>;
  /** Sent with every request, beside page and filters. */
  query?: Query;
  filters?: Filter[];
  /** Asked again every so many milliseconds. */
  every?: number;
  /** Sets two tables of one page apart in the address. */
  name?: string;
  /** Rows in an answer that is neither a list nor a page. */
  rowsOf?: (answer: unknown) => Row[];
  /** The order means something, so it is not the reader's to change. */
  isOrdered?: boolean;
}

export function DataTable<Row extends object>(props: DataTableProps<Row>): ReactElement {
  const { t } = useTranslation();
  const capabilities = useCapabilities();
  const operation = `GET ${props.path}`;
  // Without the node's document a page is asked for all the same: who knows none answers the whole list.
  const isPaged = capabilities?.areKnown !== true || capabilities.takes(operation, "page");
  const given = props.filters ?? [];
  // A list that comes whole, and that the node does not filter, is searched here.
  const isSearched = !isPaged && given.length === 0 && !props.isOrdered;
  const filters = isSearched ? [{ name: "find", label: t("find") }] : given;
  const state = useTableState(props.name ?? "", filters);
  const nodeOrder = orderQuery(capabilities, operation, state);
  const answer = useGet<string>(props.path, {
    ...(props.pathValues && { path: props.pathValues }),
    query: {
      ...props.query,
      ...sentFilters(given, state),
      ...nodeOrder,
      ...(isPaged && { page: state.page, limit: state.limit }),
    },
    every: props.every ?? false,
  });
  const page = pageOf<Row>(answer.data, state, {
    isPaged,
    isOrderedByNode: nodeOrder !== undefined,
    find: isSearched ? (state.filters["find"] ?? "") : "",
    ...(props.rowsOf && { rowsOf: props.rowsOf }),
  });
  // Ordering one page of many here would show a wrong first.
  const isSortable = (column: Column<Row>) =>
    !props.isOrdered &&
    !column.isUnsorted &&
    (!isPaged || ordersBy(capabilities, operation, column.key));
  return (
    <TableView<Row>
      {...props}
      filters={filters}
      state={state}
      page={page}
      isSortable={isSortable}
      isAnswered={answer.data !== undefined}
      isPending={answer.isPending}
      isFetching={answer.isFetching}
      error={answer.error}
      onRefresh={() => void answer.refetch()}
    />
  );
}

function sentFilters(filters: readonly Filter[], state: TableState): Query {
  return Object.fromEntries(filters.map(({ name }) => [name, state.filters[name]]));
}
