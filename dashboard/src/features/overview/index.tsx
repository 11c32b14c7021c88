import { Card, Group, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { MonitorNow } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { formatNumber } from "@/lib/format";

import { Charts } from "./Charts";
import { NodeCards } from "./NodeCards";

const EVERY_MS = 5000;

const TILES: readonly (readonly [key: keyof MonitorNow, unit: "" | "rate"])[] = [
  ["received_msg_rate", "rate"],
  ["sent_msg_rate", "rate"],
  ["dropped_msg_rate", "rate"],
  ["connections", ""],
  ["live_connections", ""],
  ["topics", ""],
  ["subscriptions", ""],
  ["retained_msg_count", ""],
];

export default function OverviewPage(): ReactElement {
  const { t } = useTranslation("overview");
  const now = useGet("/monitor_current", { every: EVERY_MS });
  return (
    <Page title={t("title")} help={t("help")}>
      <ErrorPanel error={now.error} onRetry={() => void now.refetch()} />
      <div className="tiles">
        {TILES.map(([key, unit]) => (
          <Tile
            key={key}
            label={t(`tile.${key}`)}
            value={now.data?.[key]}
            unit={unit === "rate" ? t("perSecond") : ""}
          />
        ))}
      </div>
      <Charts />
      <Title order={2} size="h4">
        {t("nodes")}
      </Title>
      <NodeCards every={EVERY_MS} />
    </Page>
  );
}

interface TileProps {
  label: string;
  value: number | undefined;
  unit: string;
}

function Tile({ label, value, unit }: TileProps): ReactElement {
  const { i18n } = useTranslation();
  return (
    <Card withBorder padding="md">
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Group gap={6} align="baseline">
        <span className="tile-value">{formatNumber(value, i18n.language)}</span>
        <Text size="xs" c="dimmed">
          {unit}
        </Text>
      </Group>
    </Card>
  );
}
