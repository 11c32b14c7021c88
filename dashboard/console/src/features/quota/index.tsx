/** The connections of all clusters together: how many there may be, and who has how many. */
import { Anchor, Card, Progress, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { formatNumber } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { LimitRow, Pool } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { clustersPath } from "@console/components/place";

import { Hold } from "./Hold";
import { PoolCard } from "./PoolCard";
import { LIMITS, POOL } from "./words";

export default function QuotaPage(): ReactElement {
  const { t, i18n } = useTranslation("quota");
  const { isSystemAdmin } = useRights();
  const pool = useGet(POOL);
  const number = (value: number | null) =>
    value === null ? t("own") : formatNumber(value, i18n.language);
  return (
    <Page title={t("title")} help={t("help")}>
      <ErrorPanel error={pool.error} onRetry={() => void pool.refetch()} />
      <div className="two-columns">
        {pool.data !== undefined && <Usage pool={pool.data} />}
        {isSystemAdmin && <PoolCard />}
      </div>
      <ListTable<LimitRow>
        label={t("clusters")}
        path={LIMITS}
        filters={[{ name: "search", label: t("search") }]}
        sorts={["name", "limit", "connections"]}
        columns={[
          { key: "name", label: t("clusterName"), render: (row) => <Way row={row} /> },
          {
            key: "place",
            label: t("place"),
            render: (row) => `${row.orgName} / ${row.projectName}`,
          },
          {
            key: "connections",
            label: t("connections"),
            isNumber: true,
            render: (row) => formatNumber(row.connections, i18n.language),
          },
          {
            key: "limit",
            label: t("limit"),
            isNumber: true,
            render: (row) => number(row.limit),
          },
          { key: "state", label: t("field.state"), render: (row) => <Hold quota={row} /> },
        ]}
        rowKey={(row) => row.clusterId}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
      />
    </Page>
  );
}

function Way({ row }: { row: LimitRow }): ReactElement {
  const list = clustersPath({ org: row.orgId, project: row.projectId });
  return (
    <Anchor component={Link} to={`${list}/${encodeURIComponent(row.clusterId)}/quota`}>
      {row.clusterName}
    </Anchor>
  );
}

function Usage({ pool }: { pool: Pool }): ReactElement {
  const { t, i18n } = useTranslation("quota");
  const number = (value: number | null) =>
    value === null ? t("unlimited") : formatNumber(value, i18n.language);
  const { total, used, left } = pool;
  return (
    <Card withBorder padding="md">
      <Text size="sm" c="dimmed">
        {t("usedOfTotal")}
      </Text>
      <p className="tile-value">
        {number(used)} / {number(total)}
      </p>
      {total !== null && total > 0 && (
        <Progress
          value={Math.min(100, (100 * used) / total)}
          aria-label={t("usedOfTotal")}
          color={used >= total ? "red" : "cyan"}
        />
      )}
      <Text size="sm" mt="sm">
        {t("left")}: {number(left)}
      </Text>
      <Text size="sm">
        {t("perCluster")}: {number(pool.perCluster)}
      </Text>
      <Text size="sm">
        {t("initial")}: {pool.initial === null ? t("own") : number(pool.initial)}
      </Text>
    </Card>
  );
}
