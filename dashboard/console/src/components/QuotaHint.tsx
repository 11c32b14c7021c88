/** What limit a cluster has that was just adopted, and what would suit it. */
import { Alert, Anchor, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { formatNumber } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import type { ClusterRow } from "@console/api/shapes";

import { clustersPath } from "./place";
import { useClusterNews } from "./useClusterNews";

const QUOTA = "/orgs/{org}/projects/{project}/clusters/{cluster}/quota";

export function QuotaHint({ cluster }: { cluster: ClusterRow }): ReactElement | null {
  const { t, i18n } = useTranslation("quota");
  const place = { org: cluster.orgId, project: cluster.projectId };
  const { data } = useGet(QUOTA, { path: { ...place, cluster: cluster.id } });
  useClusterNews(place, cluster.id, [QUOTA]);
  if (data === undefined || data.state === "waiting") return null;
  const number = (value: number | null) => formatNumber(value, i18n.language);
  return (
    <Alert color={data.state === "undecided" ? "orange" : "cyan"} title={t("cluster.title")}>
      <Text size="sm">
        {data.limit === null ? data.text : t("given", { limit: number(data.limit) })}
      </Text>
      {data.isPermitted === true && (
        <>
          <Text size="sm">
            {t("hint", {
              connections: number(data.connections),
              proposed: number(data.proposed),
            })}
          </Text>
          <Anchor
            component={Link}
            size="sm"
            to={`${clustersPath(place)}/${encodeURIComponent(cluster.id)}/quota`}
          >
            {t("change")}
          </Anchor>
        </>
      )}
    </Alert>
  );
}
