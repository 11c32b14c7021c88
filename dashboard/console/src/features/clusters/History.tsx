/** What happened to a cluster, the newest first. */
import { Button, Card, Group, Text, Title } from "@mantine/core";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import type { ClusterDetail } from "@console/api/shapes";

import { HISTORY } from "./paths";

const STEP = 10;
const SIZE_MAX = 1000;

export function History({ cluster }: { cluster: ClusterDetail }): ReactElement {
  const { t } = useTranslation("clusters");
  const [size, setSize] = useState(STEP);
  const answer = useGet(HISTORY, {
    path: { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id },
    query: { size },
  });
  const { refetch } = answer;
  // An event is a change of one of these.
  const { state, version, nodesRunning, nodesTotal, agent, adoptedAt } = cluster;
  const conditions = cluster.conditions.map(({ type }) => type);
  const sign = JSON.stringify([state, version, nodesRunning, nodesTotal, agent?.id, adoptedAt, conditions]);
  useEffect(() => void refetch(), [sign, refetch]);
  const list = answer.data;
  const events = list?.items ?? [];
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h5" mb="xs">
        {t("events.title")}
      </Title>
      <ErrorPanel error={answer.error} onRetry={() => void refetch()} />
      {list !== undefined && events.length === 0 && (
        <EmptyState title={t("events.none.title")} text={t("events.none.text")} />
      )}
      <ol className="event-list" aria-label={t("events.title")}>
        {events.map((event) => (
          <li key={event.id} data-kind={event.kind}>
            <Text size="xs" c="dimmed" component="time">
              {formatTime(event.at)}
            </Text>
            <Text size="sm" fw={600}>
              {t(`events.kind.${event.kind}`)}
            </Text>
            <Text size="sm" className="wrap">
              {event.text}
            </Text>
          </li>
        ))}
      </ol>
      {list !== undefined && list.total > events.length && size < SIZE_MAX && (
        <Group justify="center" mt="sm">
          <Button variant="subtle" size="xs" onClick={() => setSize(Math.min(size * 3, SIZE_MAX))}>
            {t("events.more")}
          </Button>
        </Group>
      )}
    </Card>
  );
}
