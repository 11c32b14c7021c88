/** Rules, connectors, actions or sources that are in no normal state. */
import { Anchor, Badge, Group } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { RowButton } from "@/components/RowButtons";
import { formatTime } from "@/lib/format";
import type { Troubled } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { clustersPath, type Place } from "@console/components/place";
import { useEnter } from "@console/components/useEnter";

import { INTEGRATIONS } from "./paths";

interface TroubledTableProps {
  place: Place;
  name: "rules" | "connectors" | "bridges";
  kinds: readonly string[];
  clusters: readonly { value: string; label: string }[];
}

const COLOURS: Record<string, string> = { stopped: "gray", connecting: "orange" };

export function TroubledTable({ place, name, kinds, clusters }: TroubledTableProps): ReactElement {
  const { t, i18n } = useTranslation("monitoring");
  const enter = useEnter();
  const statusOf = (status: string) =>
    i18n.exists(`status.${status}`, { ns: "monitoring" }) ? t(`status.${status}`) : status;
  return (
    <ListTable<Troubled>
      name={name}
      label={t(`table.${name}`)}
      path={INTEGRATIONS}
      pathValues={{ org: place.org, project: place.project }}
      query={{ kind: [...kinds] }}
      filters={[{ name: "cluster", label: t("field.cluster"), options: clusters }]}
      sorts={["cluster", "name", "status", "since"]}
      columns={[
        {
          key: "cluster",
          label: t("field.cluster"),
          render: (row) => (
            <Anchor component={Link} to={`${clustersPath(place)}/${row.clusterId}`} size="sm">
              {row.clusterName}
            </Anchor>
          ),
        },
        { key: "name", label: t("field.name"), render: (row) => row.name },
        {
          key: "type",
          label: t("field.type"),
          render: (row) => [kinds.length > 1 ? t(`kind.${row.kind}`) : "", row.type].filter(Boolean).join(" · "),
        },
        {
          key: "status",
          label: t("field.status"),
          render: (row) => (
            <Group gap={6}>
              <Badge color={COLOURS[row.status] ?? "red"} variant="light" tt="none" miw="max-content">
                {statusOf(row.status)}
              </Badge>
              {row.isStale && (
                <Badge color="gray" variant="outline" tt="none" miw="max-content">
                  {t("stale")}
                </Badge>
              )}
            </Group>
          ),
        },
        { key: "reason", label: t("field.reason"), render: (row) => row.reason },
        { key: "since", label: t("field.since"), render: (row) => formatTime(row.since) },
      ]}
      rowKey={(row) => `${row.clusterId} ${row.kind} ${row.id}`}
      empty={{ title: t(`empty.${name}`), text: t("empty.text") }}
      actions={(row) => (
        <RowButton
          text={t("details")}
          label={t("detailsOf", { name: row.name, cluster: row.clusterName })}
          onClick={() =>
            void enter(
              { id: row.clusterId, orgId: place.org, projectId: place.project },
              "auto",
              row.page,
            )
          }
        />
      )}
    />
  );
}
