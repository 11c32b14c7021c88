/** Figures over time: the last hour, day or week, a chart for each plan. */
import { LineChart } from "@mantine/charts";
import { Card, Group, NativeSelect, SegmentedControl, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import type { MetricLine, Metrics } from "@console/api/shapes";

import { formatAt, formatUnit, latestOf, nodesIn, pointsOf, SPANS, type Point, type Span } from "./history";

export interface ChartPlan {
  name: string;
  unit: MetricLine["unit"];
  series: readonly string[];
}

const COLOURS = ["cyan.7", "orange.6", "grape.6"] as const;

interface ChartSectionProps {
  metrics: Metrics | undefined;
  error: Error | null;
  onRetry: () => void;
  span: Span;
  onSpan: (span: Span) => void;
  plans: readonly ChartPlan[];
  /** For one node of it, where it has nodes. */
  ofNode?: readonly ChartPlan[];
}

export function ChartSection(props: ChartSectionProps): ReactElement {
  const { metrics, span, plans, ofNode = [] } = props;
  const { t } = useTranslation("charts");
  const [node, setNode] = useState("");
  const nodes = metrics === undefined ? [] : nodesIn(metrics);
  const chosen = nodes.includes(node) ? node : "";
  const points = metrics === undefined ? [] : pointsOf(metrics, chosen);
  return (
    <section aria-label={t("title")}>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {t("title")}
        </Title>
        <Group gap="xs">
          {nodes.length > 0 && (
            <NativeSelect
              aria-label={t("of")}
              data={[{ value: "", label: t("whole") }, ...nodes.map((name) => ({ value: name, label: name }))]}
              value={chosen}
              onChange={(event) => setNode(event.currentTarget.value)}
            />
          )}
          <SegmentedControl
            aria-label={t("span")}
            data={SPANS.map((name) => ({ value: name, label: t(`spans.${name}`) }))}
            value={span}
            onChange={(next) => props.onSpan(next as Span)}
          />
        </Group>
      </Group>
      <ErrorPanel error={props.error} onRetry={props.onRetry} />
      <div className="cards">
        {(chosen === "" ? plans : ofNode).map((plan) => (
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
  const { t, i18n } = useTranslation("charts");
  const names = plan.series.filter((name) => latestOf(points, name) !== undefined);
  const format = formatUnit(plan.unit, i18n.language);
  const now = names.map((name) => {
    const value = latestOf(points, name);
    return `${t(`series.${name}`)} ${value === undefined ? "" : format(value)}`;
  });
  return (
    <Card withBorder>
      <Title order={3} size="h5" mb="sm">
        {t(`chart.${plan.name}`)}
      </Title>
      {names.length === 0 ? (
        <EmptyState title={t("none.title")} text={t("none.text")} />
      ) : (
        <div role="img" aria-label={t("now", { values: now.join(", ") })}>
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
