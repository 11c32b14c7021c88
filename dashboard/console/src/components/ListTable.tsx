/** A table of the control plane: it filters, sorts and cuts; the address keeps what was asked. */
import type { ReactElement } from "react";

import type { Filter } from "@/components/Filters";
import { TableView, type TableLook } from "@/components/TableView";
import { useTableState } from "@/components/tableState";
import type { Query } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { List } from "@console/api/shapes";

export interface ListTableProps<Row> extends TableLook<Row> {
  /** Where several are on one page: what is asked of each stands in the address under its name. */
  name?: string;
  path: string;
  pathValues?: Record<string, string>;
  /** Sent with every request, beside page and filters. */
  query?: Query;
  filters?: readonly Filter[];
  /** Filters that the path already says. */
  unsent?: readonly string[];
  /** The list is short and comes as a whole. */
  isWhole?: boolean;
  /** Asked again after so many milliseconds, while it is shown. */
  every?: number;
  /** The fields by which it can be ordered. */
  sorts?: readonly string[];
}

export function ListTable<Row extends object>(props: ListTableProps<Row>): ReactElement {
  const { path, pathValues, filters = [], sorts = [], unsent = [], isWhole = false } = props;
  const state = useTableState(props.name ?? "", filters);
  const order = state.order !== null && sorts.includes(state.order.key) ? state.order : null;
  const answer = useGet<string>(path, {
    ...(pathValues && { path: pathValues }),
    ...(props.every !== undefined && { every: props.every }),
    query: {
      ...props.query,
      ...Object.fromEntries(
        Object.entries(state.filters).filter(([key]) => !unsent.includes(key)),
      ),
      ...(order && { sort: order.key, order: order.direction }),
      ...(!isWhole && { offset: (state.page - 1) * state.limit, size: state.limit }),
    },
  });
  const list = answer.data as List<Row> | undefined;
  const total = list?.total ?? 0;
  return (
    <TableView<Row>
      {...props}
      filters={filters}
      state={state}
      page={{
        rows: list?.items ?? [],
        count: list?.total,
        hasNext: state.page * state.limit < total,
      }}
      isSortable={(column) => sorts.includes(column.key)}
      isAnswered={list !== undefined}
      isPending={answer.isPending}
      isFetching={answer.isFetching}
      error={answer.error}
      onRefresh={() => void answer.refetch()}
    />
  );
}
