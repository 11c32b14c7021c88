/** Nothing was ever collected: how that is switched on. */
import { Card, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { clustersPath, type Place } from "@console/components/place";

const FLAGS = "--emqx-log-collection-enabled --emqx-log-collection-dir /opt/emqx/log";
const FILE = "[logs]\nenabled = true\ndir = /opt/emqx/log";

interface NoLogsProps {
  place: Place;
  hasClusters: boolean;
}

export function NoLogs({ place, hasClusters }: NoLogsProps): ReactElement {
  const { t } = useTranslation("logs");
  const toClusters = <Link to={clustersPath(place)}>{t("none.clusters")}</Link>;
  if (!hasClusters) {
    return (
      <Card withBorder>
        <EmptyState title={t("none.title")} text={t("none.adopt")} action={toClusters} />
      </Card>
    );
  }
  return (
    <Card withBorder>
      <EmptyState title={t("none.title")} text={t("none.text")} action={toClusters} />
      <Stack gap="xs" maw={720} mx="auto" pb="md">
        <Text size="sm">{t("none.register")}</Text>
        <div className="command">
          <pre>{FLAGS}</pre>
        </div>
        <Text size="sm">{t("none.running")}</Text>
        <div className="command">
          <pre>{FILE}</pre>
        </div>
        <div className="command">
          <pre>sudo rookery-agent restart</pre>
        </div>
        <Text size="sm" c="dimmed">
          {t("none.nodes")}
        </Text>
      </Stack>
    </Card>
  );
}
