/** One cluster: what it is, how it is, and what can be done with it. */
import { lazy, Suspense, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { formatDuration, formatNumber, formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { ClusterDetail } from "@console/api/shapes";
import { CardTable } from "@console/components/CardTable";
import { ClusterTabs } from "@console/components/ClusterTabs";
import { clustersPath, usePlace } from "@console/components/place";
import { StateCard } from "@console/components/StateCard";
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
        <StateCard
          title={t("field.state")}
          badge={<StateBadge cluster={cluster} />}
          meaning={t(`meaning.${cluster.state}`)}
        >
          <Conditions conditions={cluster.conditions} />
        </StateCard>
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
  const { t, i18n } = useTranslation("clusters");
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
        [t("roundTrip"), formatDuration(cluster.roundTripMs, i18n.language)],
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
  return (
    <CardTable
      title={t("nodes")}
      rows={cluster.nodes}
      rowKey={(node) => node.node}
      empty={{ title: t("noNodes.title"), text: t("noNodes.text") }}
      columns={[
        { key: "node", label: t("field.node"), render: (node) => node.node },
        {
          key: "status",
          label: t("field.state"),
          render: (node) => <StatusBadge state={node.status} isFault />,
        },
        { key: "version", label: t("version"), render: (node) => node.version },
        {
          key: "connections",
          label: t("connections"),
          isNumber: true,
          render: (node) => formatNumber(node.connections, i18n.language),
        },
        { key: "uptime", label: t("uptime"), render: (node) => formatDuration(node.uptimeMs, i18n.language) },
      ]}
    />
  );
}
