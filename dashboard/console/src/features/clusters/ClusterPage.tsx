/** One cluster: what it is, how it is, and what can be done with it. */
import { Card, Group, Table, Text, Title } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { formatDuration, formatNumber, formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { ClusterDetail } from "@console/api/shapes";
import { ClusterTabs } from "@console/components/ClusterTabs";
import { clustersPath, usePlace } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";

import { ReportAge } from "./Age";
import { nodesOf } from "./ClusterCard";
import { ClusterActions } from "./ClusterActions";
import { Conditions } from "./Conditions";
import { Connections } from "./Connections";
import { ClusterDialog, type DialogName } from "./dialogs";
import { History } from "./History";
import { useLiveClusters } from "./live";
import { CLUSTER } from "./paths";
import { StateBadge } from "./StateBadge";

// Drawing takes more code than all the rest of the page.
const Charts = lazy(() => import("./Charts"));

export default function ClusterPage(): ReactElement {
  const { t } = useTranslation("clusters");
  const place = usePlace();
  const { cluster: id = "" } = useParams();
  const rights = useRights();
  const goTo = useGoTo();
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const answer = useGet(CLUSTER, { path: { ...place, cluster: id } });
  useLiveClusters(place);
  const cluster = answer.data;
  const list = clustersPath(place);
  if (cluster === undefined) {
    return (
      <Page title={t("title")}>
        <ClusterTabs />
        {answer.error === null ? (
          <Loading />
        ) : (
          <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
        )}
      </Page>
    );
  }
  return (
    <Page
      title={cluster.name}
      help={cluster.description ?? ""}
      actions={
        <ClusterActions
          cluster={cluster}
          mayChange={rights.isProjectAdmin(place.org, place.project)}
          onOpen={setDialog}
        />
      }
    >
      <ClusterTabs />
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      <div className="two-columns">
        <Information cluster={cluster} />
        <Card withBorder padding="md">
          <Group justify="space-between" mb="xs">
            <Title order={2} size="h5">
              {t("field.state")}
            </Title>
            <StateBadge cluster={cluster} />
          </Group>
          <Text size="sm" mb="xs">
            {t(`meaning.${cluster.state}`)}
          </Text>
          <Conditions conditions={cluster.conditions} />
        </Card>
      </div>
      <Nodes cluster={cluster} />
      <Suspense fallback={<Loading />}>
        <Charts key={cluster.id} cluster={cluster} />
      </Suspense>
      <History cluster={cluster} />
      <ClusterDialog
        open={dialog === null ? null : { name: dialog, cluster }}
        onClose={() => setDialog(null)}
        onGone={() => goTo(list)}
      />
    </Page>
  );
}

function Information({ cluster }: { cluster: ClusterDetail }): ReactElement {
  const { t } = useTranslation("clusters");
  const { agent } = cluster;
  return (
    <KeyValues
      title={t("information")}
      rows={[
        [t("clusterAddress"), cluster.address],
        [t("version"), cluster.version],
        [t("nodes"), nodesOf(cluster)],
        [t("connections"), <Connections key="connections" cluster={cluster} />],
        [t("startedAt"), formatTime(cluster.startedAt)],
        [t("createdAt"), formatTime(cluster.createdAt)],
        [t("adoptedAt"), formatTime(cluster.adoptedAt)],
        [t("lastReport"), <ReportAge key="age" cluster={cluster} />],
        [t("roundTrip"), formatDuration(cluster.roundTripMs)],
        [t("labels"), cluster.labels.join(", ")],
        [t("agent"), agent?.hostName],
        [t("agentVersion"), agent?.version],
        [t("agentConnection"), t(`presence.${cluster.presence}`)],
      ]}
    />
  );
}

function Nodes({ cluster }: { cluster: ClusterDetail }): ReactElement {
  const { t, i18n } = useTranslation("clusters");
  const { nodes } = cluster;
  return (
    <Card withBorder padding={0}>
      <Title order={2} size="h5" p="md">
        {t("nodes")}
      </Title>
      {nodes.length === 0 ? (
        <EmptyState title={t("noNodes.title")} text={t("noNodes.text")} />
      ) : (
        <div className="table-scroll" role="region" aria-label={t("nodes")} tabIndex={0}>
          <Table>
            <caption className="hidden-text">{t("nodes")}</caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("field.node")}</Table.Th>
                <Table.Th>{t("field.state")}</Table.Th>
                <Table.Th>{t("version")}</Table.Th>
                <Table.Th ta="right">{t("connections")}</Table.Th>
                <Table.Th>{t("uptime")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {nodes.map((node) => (
                <Table.Tr key={node.node}>
                  <Table.Td>{node.node}</Table.Td>
                  <Table.Td>
                    <StatusBadge state={node.status} isFault />
                  </Table.Td>
                  <Table.Td>{node.version}</Table.Td>
                  <Table.Td ta="right">{formatNumber(node.connections, i18n.language)}</Table.Td>
                  <Table.Td>{formatDuration(node.uptimeMs)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Card>
  );
}
