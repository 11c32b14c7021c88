/** The edge services of a project at a glance, and their devices and applications that are not well. */
import { Anchor, Stack } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useGet } from "@console/api/hooks";
import type { EdgeNodeSeen, EdgeOverview } from "@console/api/shapes";
import { CardTable } from "@console/components/CardTable";
import { edgePath, EVERY_MS } from "@console/components/edgePaths";
import type { Place } from "@console/components/place";

import { FigureCards, type Figures } from "./FigureCards";
import { EDGE_MONITORING } from "./paths";

const NodeBars = lazy(() => import("./NodeBars"));

function groups(found: EdgeOverview): Figures {
  const { edges, drivers, apps, rules, traffic, tagCounts, streams } = found;
  return [
    [
      "edges",
      [
        ["total", edges.total],
        ["online", edges.online],
        ["offline", edges.offline],
      ],
    ],
    [
      "drivers",
      [
        ["total", drivers.total],
        ["running", drivers.running],
        ["error", drivers.error],
      ],
    ],
    [
      "apps",
      [
        ["total", apps.total],
        ["running", apps.running],
        ["error", apps.error],
      ],
    ],
    [
      "edgeRules",
      [
        ["total", rules.total],
        ["running", rules.running],
        ["stopped", rules.stopped],
        ["error", rules.error],
      ],
    ],
    [
      "tags",
      [
        ["allocated", tagCounts.allocated],
        ["used", tagCounts.used],
      ],
    ],
    [
      "streams",
      [
        ["inTotal", streams.inTotal],
        ["inPerSecond", streams.inPerSecond],
        ["outTotal", streams.outTotal],
        ["outPerSecond", streams.outPerSecond],
      ],
    ],
    [
      "flow",
      [
        ["read", traffic.readsPerSecond],
        ["sent", traffic.sentPerSecond],
        ["cached", traffic.cached],
      ],
    ],
  ];
}

export function EdgeTab({ place }: { place: Place }): ReactElement {
  const answer = useGet(EDGE_MONITORING, {
    path: { org: place.org, project: place.project },
    every: EVERY_MS,
  });
  const found = answer.data;
  return (
    <Stack gap="md">
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.isPending && <Loading />}
      {found !== undefined && (
        <>
          <FigureCards groups={groups(found)} />
          <Suspense fallback={<Loading />}>
            <NodeBars found={found} />
          </Suspense>
          <NodeTable name="notRunning" rows={found.notRunning.filter(isNoRule)} place={place} />
          <NodeTable name="notConnected" rows={found.abnormal.filter(isNoRule)} place={place} />
          <NodeTable
            name="edgeRules"
            rows={[...found.notRunning, ...found.abnormal].filter((row) => !isNoRule(row))}
            place={place}
          />
        </>
      )}
    </Stack>
  );
}

function isNoRule(row: EdgeNodeSeen): boolean {
  return row.kind !== "rule";
}

const RUNNING = 3;

interface NodeTableProps {
  name: "notRunning" | "notConnected" | "edgeRules";
  rows: readonly EdgeNodeSeen[];
  place: Place;
}

function NodeTable({ name, rows, place }: NodeTableProps): ReactElement {
  const { t } = useTranslation("monitoring");
  return (
    <CardTable
      title={t(`table.${name}`)}
      rows={rows}
      rowKey={(row) => `${row.serviceId} ${row.node}`}
      empty={{ title: t(`empty.${name}`), text: t("empty.edge") }}
      columns={[
        {
          key: "edge",
          label: t("field.edge"),
          render: (row) => (
            <Anchor component={Link} to={edgePath(place, row.serviceId)} size="sm">
              {row.serviceName}
            </Anchor>
          ),
        },
        { key: "name", label: t("field.name"), isLong: true, render: (row) => row.node },
        { key: "type", label: t("field.type"), render: (row) => t(`nodeKind.${row.kind}`) },
        { key: "address", label: t("field.address"), render: (row) => row.address },
        { key: "version", label: t("field.version"), render: (row) => row.version },
        {
          key: "reason",
          label: t("field.reason"),
          isLong: true,
          render: (row) => row.error || t(row.state === RUNNING ? "noReason" : "notStarted"),
        },
      ]}
    />
  );
}
