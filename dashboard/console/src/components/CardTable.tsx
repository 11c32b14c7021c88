/** A card with a short table of what belongs to what the page shows: all of it, as it comes. */
import { Card, Table, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";

export interface CardColumn<Row> {
  key: string;
  label: string;
  render: (row: Row) => ReactNode;
  /** Numbers stand at the right. */
  isNumber?: boolean;
  /** Long texts may be broken. */
  isLong?: boolean;
}

interface CardTableProps<Row> {
  title: string;
  columns: readonly CardColumn<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Absent: there is always a row. */
  empty?: { title: string; text: string };
  /** Why there may be no rows, or old ones. */
  error?: unknown;
  onRetry?: () => void;
  /** Below the table. */
  children?: ReactNode;
}

export function CardTable<Row>(props: CardTableProps<Row>): ReactElement {
  const { title, columns, rows, empty, error = null, onRetry } = props;
  const side = (column: CardColumn<Row>) => (column.isNumber ? { ta: "right" as const } : {});
  return (
    <Card withBorder padding={0}>
      <Title order={2} size="h5" p="md">
        {title}
      </Title>
      <ErrorPanel error={error} {...(onRetry && { onRetry })} />
      {rows.length === 0 && error === null && empty !== undefined && <EmptyState {...empty} />}
      {rows.length > 0 && (
        <div className="table-scroll" role="region" aria-label={title} tabIndex={0}>
          <Table>
            <caption className="hidden-text">{title}</caption>
            <Table.Thead>
              <Table.Tr>
                {columns.map((column) => (
                  <Table.Th key={column.key} {...side(column)}>
                    {column.label}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={props.rowKey(row)}>
                  {columns.map((column) => (
                    <Table.Td
                      key={column.key}
                      {...side(column)}
                      {...(column.isLong && { className: "wrap" })}
                    >
                      {column.render(row)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {props.children}
    </Card>
  );
}
