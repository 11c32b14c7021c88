/** The one table (on a phone: one card for each row), however its rows were asked for. */
import { Button, Card, Checkbox, Group, Loader, Table, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ABSENT, formatAny } from "@/lib/format";

import { EmptyState } from "./EmptyState";
import { ErrorPanel } from "./ErrorPanel";
import { Filters, type Filter } from "./Filters";
import { Icon } from "./icons";
import { Pager } from "./Pager";
import type { Shown, TableState } from "./tableState";

export interface Column<Row> {
  /** The field it shows, and by which it is ordered. */
  key: string;
  label: string;
  render?: (row: Row) => ReactNode;
  /** Numbers stand at the right. */
  isNumber?: boolean;
  /** What is drawn has no order of its own. */
  isUnsorted?: boolean;
}

export interface Bulk<Row> {
  label: string;
  run: (rows: Row[]) => Promise<boolean>;
  /** It takes nothing away. */
  isHarmless?: boolean;
}

/** What a table shows of its rows. */
export interface TableLook<Row> {
  /** What it shows, for screen readers. */
  label: string;
  columns: Column<Row>[];
  rowKey: (row: Row, index: number) => string;
  empty: { title: string; text: string; action?: ReactNode };
  /** Buttons at the end of a row. */
  actions?: (row: Row, index: number, rows: Row[]) => ReactNode;
  bulk?: Bulk<Row>;
  /** Beside the button that asks again. */
  tools?: ReactNode;
  /** Drawn instead of the table. */
  cards?: (rows: Row[]) => ReactNode;
}

interface TableViewProps<Row> extends TableLook<Row> {
  filters: readonly Filter[];
  state: TableState;
  page: Shown<Row>;
  isSortable: (column: Column<Row>) => boolean;
  isAnswered: boolean;
  isPending: boolean;
  isFetching: boolean;
  error: unknown;
  onRefresh: () => void;
}

export function TableView<Row extends object>(props: TableViewProps<Row>): ReactElement {
  const { t } = useTranslation();
  const { page, state } = props;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const isFiltered = Object.values(state.filters).some((value) => value !== "");
  const picked = page.rows.filter((row, index) => chosen.has(props.rowKey(row, index)));
  const runBulk = async () => {
    if (await props.bulk?.run(picked)) setChosen(new Set());
  };
  // What is pressed there stays on a phone; names are beside the values.
  const hasHead = props.bulk !== undefined || props.columns.some(props.isSortable);

  return (
    <Card withBorder padding={0}>
      <div className="table-tools">
        <Filters filters={props.filters} state={state} />
        <Group gap="xs" ml="auto">
          {props.tools}
          {props.bulk !== undefined && (
            <Button
              {...(props.bulk.isHarmless !== true && { color: "red" })}
              variant="light"
              disabled={picked.length === 0}
              onClick={() => void runBulk()}
            >
              {props.bulk.label} ({picked.length})
            </Button>
          )}
          <Button
            variant="default"
            onClick={props.onRefresh}
            leftSection={props.isFetching ? <Loader size={14} /> : <Icon name="refresh" size={16} />}
          >
            {t("refresh")}
          </Button>
        </Group>
      </div>
      {props.error !== null && (
        <div className="table-note">
          <ErrorPanel error={props.error} onRetry={props.onRefresh} />
        </div>
      )}
      {props.isPending && props.error === null && (
        <Group justify="center" py="xl">
          <Loader aria-label={t("loading")} />
        </Group>
      )}
      {props.isAnswered && page.rows.length === 0 && (
        <EmptyState
          title={isFiltered ? t("noMatch.title") : props.empty.title}
          text={isFiltered ? t("noMatch.text") : props.empty.text}
          action={isFiltered ? undefined : props.empty.action}
        />
      )}
      {page.rows.length > 0 && props.cards !== undefined && props.cards(page.rows)}
      {page.rows.length > 0 && props.cards === undefined && (
        <div className="table-scroll" role="region" aria-label={props.label} tabIndex={0}>
          <Table highlightOnHover verticalSpacing="xs" className="cards-on-phone" role="table">
            <caption className="hidden-text">{props.label}</caption>
            <Table.Thead role="rowgroup" {...(!hasHead && { className: "plain-head" })}>
              <Table.Tr role="row">
                {props.bulk !== undefined && (
                  <Table.Th role="columnheader" className="choose-cell">
                    <Checkbox
                      aria-label={t("chooseAll")}
                      checked={picked.length === page.rows.length}
                      indeterminate={picked.length > 0 && picked.length < page.rows.length}
                      onChange={(event) =>
                        setChosen(
                          new Set(event.currentTarget.checked ? page.rows.map(props.rowKey) : []),
                        )
                      }
                    />
                  </Table.Th>
                )}
                {props.columns.map((column) => (
                  <Head
                    key={column.key}
                    column={column}
                    state={state}
                    isSortable={props.isSortable(column)}
                  />
                ))}
                {props.actions !== undefined && (
                  <Table.Th role="columnheader" className="actions-cell">{t("actions")}</Table.Th>
                )}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody role="rowgroup">
              {page.rows.map((row, index) => {
                const key = props.rowKey(row, index);
                return (
                  <Table.Tr key={key} role="row">
                    {props.bulk !== undefined && (
                      <Table.Td role="cell">
                        <Checkbox
                          aria-label={t("chooseOne", { name: key })}
                          checked={chosen.has(key)}
                          onChange={(event) => {
                            const next = new Set(chosen);
                            if (event.currentTarget.checked) next.add(key);
                            else next.delete(key);
                            setChosen(next);
                          }}
                        />
                      </Table.Td>
                    )}
                    {props.columns.map((column) => (
                      <Table.Td
                        key={column.key}
                        role="cell"
                        data-label={column.label}
                        ta={column.isNumber ? "right" : undefined}
                      >
                        <div>{cell(column, row)}</div>
                      </Table.Td>
                    ))}
                    {props.actions !== undefined && (
                      <Table.Td role="cell" className="actions-cell">
                        <Group gap={6} className="row-actions">
                          {props.actions(row, index, page.rows)}
                        </Group>
                      </Table.Td>
                    )}
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Pager state={state} count={page.count} hasNext={page.hasNext} shown={page.rows.length} />
    </Card>
  );
}

function cell<Row extends object>(column: Column<Row>, row: Row): ReactNode {
  const value: unknown =
    column.render === undefined
      ? (row as Record<string, unknown>)[column.key]
      : (column.render(row) ?? ABSENT);
  if (typeof value === "number") return value.toLocaleString();
  if (column.render !== undefined && typeof value !== "string") return value as ReactNode;
  const text = formatAny(value);
  const className = text.length > SHORT_MAX ? "cell-text" : "cell-short";
  return (
    <Text span size="sm" className={className}>
      {text}
    </Text>
  );
}

// So many characters stay on one line: a time, an address, a name.
const SHORT_MAX = 21;

interface HeadProps<Row> {
  column: Column<Row>;
  state: TableState;
  isSortable: boolean;
}

function Head<Row>({ column, state, isSortable }: HeadProps<Row>): ReactElement {
  const isOrder = state.order?.key === column.key;
  const direction = isOrder ? state.order?.direction : undefined;
  const ariaSort = direction === "asc" ? "ascending" : direction ? "descending" : "none";
  return (
    <Table.Th
      role="columnheader"
      ta={column.isNumber ? "right" : undefined}
      className={isSortable ? undefined : "plain-head"}
      {...(isSortable && { "aria-sort": ariaSort })}
    >
      {isSortable ? (
        <UnstyledButton className="sort-button" onClick={() => state.toggleOrder(column.key)}>
          {column.label}
          {direction !== undefined && (
            <Icon name={direction === "asc" ? "up" : "down"} size={14} />
          )}
        </UnstyledButton>
      ) : (
        column.label
      )}
    </Table.Th>
  );
}
