/** A table of a list that comes whole: searched, ordered and cut here. */
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { TableView, type TableLook } from "@/components/TableView";
import { useTableState } from "@/components/tableState";
import { sorted } from "@/lib/order";

interface RowsTableProps<Row> extends TableLook<Row> {
  rows: Row[] | undefined;
  error: unknown;
  isFetching: boolean;
  onRefresh: () => void;
}

function holds(row: object, text: string): boolean {
  return JSON.stringify(Object.values(row)).toLowerCase().includes(text.toLowerCase());
}

export function RowsTable<Row extends object>(props: RowsTableProps<Row>): ReactElement {
  const { t } = useTranslation();
  const filters = [{ name: "find", label: t("find") }];
  const state = useTableState("", filters);
  const find = state.filters["find"] ?? "";
  let rows = (props.rows ?? []).filter((row) => find === "" || holds(row, find));
  if (state.order !== null) rows = sorted(rows, state.order.key, state.order.direction);
  const first = (state.page - 1) * state.limit;
  return (
    <TableView<Row>
      {...props}
      filters={filters}
      state={state}
      page={{
        rows: rows.slice(first, first + state.limit),
        count: rows.length,
        hasNext: first + state.limit < rows.length,
      }}
      isSortable={(column) => column.isUnsorted !== true}
      isAnswered={props.rows !== undefined}
      isPending={props.rows === undefined}
    />
  );
}
