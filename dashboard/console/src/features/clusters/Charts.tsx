/** What a cluster counted in the last hour, day or week; drawn on when a report arrives. */
import { LineChart } from "@mantine/charts";
import { Card, Group, NativeSelect, SegmentedControl, Title } from "@mantine/core";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { useGet } from "@console/api/hooks";
import type { ClusterDetail, MetricLine } from "@console/api/shapes";

import {
  formatAt,
  formatUnit,
  latestOf,
  nodesIn,
  pointsOf,
  REACH,
  SPANS,
  type Point,
  type Span,
} from "./history";
import { METRICS } from "./paths";

interface ChartPlan {
  name: string;
  unit: MetricLine["unit"];
  series: readonly string[];
}

const OF_CLUSTER: readonly ChartPlan[] = [
  { name: "connections", unit: "count", series: ["liveConnections", "connections", "connectionLimit"] },
  { name: "messages", unit: "perSecond", series: ["received", "sent", "dropped"] },
  { name: "traffic", unit: "bytesPerSecond", series: ["receivedBytes", "sentBytes"] },
  { name: "subscriptions", unit: "count", series: ["subscriptions", "topics", "retained"] },
  { name: "integration", unit: "count", series: ["rulesRunning", "connectorsConnected", "connectorsDisconnected"] },
  { name: "latency", unit: "ms", series: ["latency"] },
];
const OF_NODE: readonly ChartPlan[] = [
  { name: "connections", unit: "count", series: ["liveConnections"] },
  { name: "messages", unit: "perSecond", series: ["received", "sent", "dropped"] },
  { name: "load", unit: "load", series: ["load1", "load5", "load15"] },
  { name: "memory", unit: "bytes", series: ["memoryUsed", "memoryTotal"] },
];
const COLOURS = ["cyan.7", "orange.6", "grape.6"] as const;

export default function Charts({ cluster }: { cluster: ClusterDetail }): ReactElement {
  const { t } = useTranslation("clusters");
  const [span, setSpan] = useState<Span>("hour");
  const [node, setNode] = useState("");
  const { last, step } = REACH[span];
  const answer = useGet(METRICS, {
    path: { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id },
    query: { last, step, node: "*" },
  });
  const { refetch } = answer;
  // A report adds a point; where a point is of longer, many reports do.
  const beat = Math.floor(Date.parse(cluster.lastReportAt ?? "") / (Math.min(step, 60) * 1000));
  useEffect(() => {
    if (!Number.isNaN(beat)) void refetch();
  }, [beat, refetch]);
  const metrics = answer.data;
  const nodes = metrics === undefined ? [] : nodesIn(metrics);
  const chosen = nodes.includes(node) ? node : "";
  const points = metrics === undefined ? [] : pointsOf(metrics, chosen);
  return (
    <section aria-label={t("charts.title")}>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {t("charts.title")}
        </Title>
        <Group gap="xs">
          {nodes.length > 0 && (
            <NativeSelect
              aria-label={t("charts.of")}
              data={[
                { value: "", label: t("charts.whole") },
                ...nodes.map((name) => ({ value: name, label: name })),
              ]}
              value={chosen}
              onChange={(event) => setNode(event.currentTarget.value)}
            />
          )}
          <SegmentedControl
            aria-label={t("charts.span")}
            data={SPANS.map((name) => ({ value: name, label: t(`charts.spans.${name}`) }))}
            value={span}
            onChange={(next) => setSpan(next as Span)}
          />
        </Group>
      </Group>
      <ErrorPanel error={answer.error} onRetry={() => void refetch()} />
      <div className="cards">
        {(chosen === "" ? OF_CLUSTER : OF_NODE).map((plan) => (
          <Chart key={plan.name} plan={plan} points={points} span={span} />
        ))}
      </div>
    </section>
  );
}

interface ChartProps {
  plan: ChartPlan;
  points: readonly Point[];
  span: Span;
}

function Chart({ plan, points, span }: ChartProps): ReactElement {
  const { t, i18n } = useTranslation("clusters");
  const names = plan.series.filter((name) => latestOf(points, name) !== undefined);
  const format = formatUnit(plan.unit, i18n.language);
  const now = names.map((name) => {
    const value = latestOf(points, name);
    return `${t(`series.${name}`)} ${value === undefined ? "" : format(value)}`;
  });
  return (
    <Card withBorder>
      <Title order={3} size="h5" mb="sm">
        {t(`charts.${plan.name}`)}
      </Title>
      {names.length === 0 ? (
        <EmptyState title={t("charts.none.title")} text={t("charts.none.text")} />
      ) : (
        <div role="img" aria-label={t("charts.now", { values: now.join(", ") })}>
          <LineChart
            h={210}
            data={points.map((point) => ({
              ...point,
              at: formatAt(point.at, span, i18n.language),
            }))}
            dataKey="at"
            series={names.map((name, index) => ({
              name,
              label: t(`series.${name}`),
              color: COLOURS[index] ?? "gray",
            }))}
            withDots={false}
            // Where nothing was heard nothing is drawn.
            connectNulls={false}
            withLegend={names.length > 1}
            curveType="linear"
            lineChartProps={{ accessibilityLayer: false }}
            lineProps={{ isAnimationActive: false }}
            valueFormatter={format}
            xAxisProps={{ minTickGap: 40 }}
            yAxisProps={{ width: 72 }}
          />
        </div>
      )}
    </Card>
  );
}
