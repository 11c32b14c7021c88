import { Button, Group, Loader, Stack, Table } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { get } from "@/api/client";
import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { formatTime } from "@/lib/format";

const LIMIT = 50;
const PAYLOAD_BYTES_MAX = 2048;

interface MessagesProps {
  path: "/clients/{clientid}/mqueue_messages" | "/clients/{clientid}/inflight_messages";
  clientid: string;
}

/** Messages that wait for a client; further ones by the position of the last. */
export function Messages({ path, clientid }: MessagesProps): ReactElement {
  const { t } = useTranslation("clients");
  const pages = useInfiniteQuery({
    queryKey: [path, clientid],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      get(path, {
        path: { clientid },
        query: {
          limit: LIMIT,
          payload: "plain",
          max_payload_bytes: PAYLOAD_BYTES_MAX,
          position: pageParam,
        },
        signal,
      }),
    getNextPageParam: (last) =>
      last.data.length < LIMIT || last.meta.position === undefined
        ? undefined
        : String(last.meta.position),
  });
  if (pages.error !== null) {
    return <ErrorPanel error={pages.error} onRetry={() => void pages.refetch()} />;
  }
  if (pages.data === undefined) return <Loader aria-label={t("loading")} />;
  const rows = pages.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) {
    return <EmptyState title={t("noMessages.title")} text={t("noMessages.text")} />;
  }
  return (
    <Stack>
      <div className="table-scroll" role="region" aria-label={t("messages")} tabIndex={0}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("field.topic")}</Table.Th>
              <Table.Th>QoS</Table.Th>
              <Table.Th>{t("field.from")}</Table.Th>
              <Table.Th>{t("field.publishedAt")}</Table.Th>
              <Table.Th>{t("field.payload")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, index) => (
              <Table.Tr key={`${row.msgid ?? ""}${index}`}>
                <Table.Td className="wrap">{row.topic}</Table.Td>
                <Table.Td>{row.qos}</Table.Td>
                <Table.Td>{row.from_clientid}</Table.Td>
                <Table.Td>{formatTime(toTime(row.publish_at))}</Table.Td>
                <Table.Td className="wrap">{row.payload}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {pages.hasNextPage && (
        <Group justify="center">
          <Button
            variant="default"
            loading={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            {t("more")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** EMQX writes milliseconds here as text. */
function toTime(value: string | number | undefined): string | number | undefined {
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
}
