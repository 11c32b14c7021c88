import { Anchor, Group } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { ABSENT, formatTime } from "@/lib/format";
import type { ClusterRow } from "@console/api/shapes";
import { clustersPath } from "@console/components/place";

import { ReportAge } from "./Age";
import { Connections } from "./Connections";
import { StateBadge } from "./StateBadge";
import { Why } from "./Why";

interface ClusterCardProps {
  cluster: ClusterRow;
  actions: ReactNode;
}

export function ClusterLink({ cluster }: { cluster: ClusterRow }): ReactElement {
  const place = clustersPath({ org: cluster.orgId, project: cluster.projectId });
  return (
    <Anchor component={Link} to={`${place}/${cluster.id}`} fw={600} className="wrap">
      {cluster.name}
    </Anchor>
  );
}

export function nodesOf({ nodesRunning, nodesTotal }: ClusterRow): string {
  return nodesTotal > 0 ? `${nodesRunning}/${nodesTotal}` : ABSENT;
}

/** What is to be known of a cluster at a glance. */
export function ClusterCard({ cluster, actions }: ClusterCardProps): ReactElement {
  const { t } = useTranslation("clusters");
  const rows: [string, ReactNode][] = [
    [t("version"), cluster.version || ABSENT],
    [t("nodes"), nodesOf(cluster)],
    [t("connections"), <Connections key="connections" cluster={cluster} />],
    [t("startedAt"), formatTime(cluster.startedAt)],
    cluster.adoptedAt === null
      ? [t("createdAt"), formatTime(cluster.createdAt)]
      : [t("adoptedAt"), formatTime(cluster.adoptedAt)],
    [t("lastReport"), <ReportAge key="age" cluster={cluster} />],
  ];
  return (
    <li>
      <article className="cluster-card" aria-label={cluster.name}>
        <Group justify="space-between" align="flex-start" wrap="nowrap">
          <ClusterLink cluster={cluster} />
          <StateBadge cluster={cluster} />
        </Group>
        <Why cluster={cluster} lines={3} />
        <dl className="facts">
          {rows.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <Group gap="xs">{actions}</Group>
      </article>
    </li>
  );
}
