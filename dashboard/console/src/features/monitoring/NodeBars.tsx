/** How many south devices and north applications there are, run, are connected and are not: as bars. */
import { BarChart } from "@mantine/charts";
import { Card, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatNumber } from "@/lib/format";
import type { EdgeOverview } from "@console/api/shapes";

const KINDS = ["drivers", "apps"] as const;
const COLOURS = { total: "gray.6", running: "cyan.7", connected: "teal.6", abnormal: "red.6" } as const;

export default function NodeBars({ found }: { found: EdgeOverview }): ReactElement {
  return (
    <div className="cards">
      {KINDS.map((kind) => (
        <Bars key={kind} kind={kind} counts={found[kind]} />
      ))}
    </div>
  );
}

interface BarsProps {
  kind: (typeof KINDS)[number];
  counts: EdgeOverview["drivers"];
}

function Bars({ kind, counts }: BarsProps): ReactElement {
  const { t, i18n } = useTranslation("monitoring");
  const name = t(`group.${kind}`);
  const bars = [
    ["total", counts.total],
    ["running", counts.running],
    ["connected", counts.connected],
    ["abnormal", counts.error],
  ] as const;
  const figures = bars.map(([bar, value]) => `${t(`bars.${bar}`)} ${formatNumber(value, i18n.language)}`);
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h5" mb="xs">
        {name}
      </Title>
      <div role="img" aria-label={t("bars.said", { name, figures: figures.join(", ") })}>
        <BarChart
          h={190}
          data={bars.map(([bar, value]) => ({ bar: t(`bars.${bar}`), value, color: COLOURS[bar] }))}
          dataKey="bar"
          series={[{ name: "value", label: name, color: "cyan.7" }]}
          withBarValueLabel
          withTooltip={false}
          barChartProps={{ accessibilityLayer: false }}
          barProps={{ isAnimationActive: false }}
          valueFormatter={(value) => formatNumber(value, i18n.language)}
          yAxisProps={{ allowDecimals: false, width: 48 }}
        />
      </div>
    </Card>
  );
}
