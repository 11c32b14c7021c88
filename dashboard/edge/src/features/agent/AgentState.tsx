/** How the connection to the control plane is, live, with what went wrong last. */
import { Alert, Badge, Card, Group, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { formatTime } from "@/lib/format";
import { useGet } from "@edge/api/hooks";

import { TUNNEL_STATUS } from "./paths";

const EVERY_MS = 2000;
const COLORS: Record<string, string> = {
  connected: "teal",
  connecting: "orange",
  enrolling: "orange",
  disconnected: "orange",
  refused: "red",
  rejected: "red",
  removed: "red",
};

export function AgentState({ isOn }: { isOn: boolean }): ReactElement {
  const { t } = useTranslation("agent");
  const { data, error, refetch } = useGet(TUNNEL_STATUS, { every: EVERY_MS });
  if (data === undefined) {
    return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  }
  const { status } = data;
  const word = status === "connected" && !data.managed ? "pending" : status;
  return (
    <Card withBorder padding="md">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          {t("connection")}
        </Title>
        <Badge color={COLORS[status] ?? "gray"} variant="light" tt="none" role="status">
          {t(`state.${word}`)}
        </Badge>
      </Group>
      <Text size="sm" mb="sm">
        {t(`meaning.${word}`)}
      </Text>
      {data.error && (
        <Alert color={COLORS[status] === "red" ? "red" : "orange"} mb="md" title={t("lastError")}>
          {data.error.message}
        </Alert>
      )}
      {(isOn || data.agentId !== "") && (
        <KeyValues
          rows={[
            [t("shortId"), data.shortId],
            [t("where"), data.address],
            [t("since"), formatTime(data.since)],
            ...(data.managed
              ? ([
                  [t("service"), data.service],
                  [t("place"), `${data.organization} / ${data.project}`],
                ] as const)
              : []),
          ]}
        />
      )}
    </Card>
  );
}
