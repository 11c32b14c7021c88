import { LineChart } from "@mantine/charts";
import { Card, SegmentedControl, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { EmptyState } from "@/components/EmptyState";
import { formatClock, formatNumber } from "@/lib/format";
import { toRates, type Sample } from "@/lib/rates";

const EVERY_MS = 10_000;
const SPANS = [600, 3600, 21_600, 86_400] as const;
const POINTS_MAX = 180;
const COUNTERS = ["received", "sent", "dropped"] as const;
const CHARTS = [
  { name: "messages", series: ["received", "sent"] },
  { name: "dropped", series: ["dropped"] },
  { name: "connections", series: ["connections", "live_connections"] },
  { name: "subscriptions", series: ["topics", "subscriptions"] },
] as const;
const COLOURS = ["cyan.7", "orange.6"] as const;

/** Every n-th sample where there are more than a chart can show. */
function thinned(samples: Sample[]): Sample[] {
  const step = Math.ceil(samples.length / POINTS_MAX);
  return step <= 1 ? samples : samples.filter((_, index) => index % step === 0);
}

export function Charts(): ReactElement {
  const { t, i18n } = useTranslation("overview");
  const [span, setSpan] = useState<number>(SPANS[0]);
  const answer = useGet("/monitor", { query: { latest: span }, every: EVERY_MS });
  const samples = thinned(toRates(answer.data ?? [], COUNTERS));
  const data = samples.map((sample) => ({
    ...sample,
    at: formatClock(sample.time_stamp, i18n.language),
  }));
  const latest = samples.at(-1);
  return (
    <>
      <SegmentedControl
        aria-label={t("span.label")}
        value={String(span)}
        onChange={(value) => setSpan(Number(value))}
        data={SPANS.map((seconds) => ({ value: String(seconds), label: t(`span.${seconds}`) }))}
        className="span-choice"
      />
      <div className="cards">
        {CHARTS.map((chart) => (
          <Card withBorder key={chart.name}>
            <Title order={2} size="h5" mb="sm">
              {t(`chart.${chart.name}`)}
            </Title>
            {data.length === 0 ? (
              <EmptyState title={t("noSamples.title")} text={t("noSamples.text")} />
            ) : (
              <div
                role="img"
                aria-label={t("chart.now", {
                  values: chart.series
                    .map((name) => `${t(`series.${name}`)} ${formatNumber(latest?.[name])}`)
                    .join(", "),
                })}
              >
                <LineChart
                  h={210}
                  data={data}
                  dataKey="at"
                  series={chart.series.map((name, index) => ({
                    name,
                    label: t(`series.${name}`),
                    color: COLOURS[index] ?? "gray",
                  }))}
                  withDots={false}
                  withLegend={chart.series.length > 1}
                  curveType="linear"
                  lineChartProps={{ accessibilityLayer: false }}
                  lineProps={{ isAnimationActive: false }}
                  valueFormatter={(value) => formatNumber(value, i18n.language)}
                  xAxisProps={{ minTickGap: 40 }}
                  yAxisProps={{ width: 56 }}
                />
              </div>
            )}
          </Card>
        ))}
      </div>
    </>
  );
}
