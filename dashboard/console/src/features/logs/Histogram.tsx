/** How many records there are over time, the severe ones below. */
import { Card, Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatNumber, formatTime } from "@/lib/format";
import type { Query } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { LogHistogram } from "@console/api/shapes";
import type { Place } from "@console/components/place";

import { LEVELS, toneOf, type Tone } from "./levels";
import { HISTOGRAM } from "./paths";
import type { Span } from "./range";

const HEIGHT = 64;
const TONES: readonly Tone[] = ["bad", "warn", "plain", "quiet"];

type Part = LogHistogram["parts"][number];

function countOf(part: Part, tone: Tone): number {
  return LEVELS.filter((level) => toneOf(level) === tone).reduce(
    (sum, level) => sum + (part.counts[level] ?? 0),
    0,
  );
}

interface HistogramProps {
  place: Place;
  filters: Query;
  span: Span;
}

export function Histogram({ place, filters, span }: HistogramProps): ReactElement | null {
  const { t } = useTranslation("logs");
  const { data } = useGet(HISTOGRAM, {
    path: { org: place.org, project: place.project },
    query: { ...filters, ...span },
  });
  if (data === undefined || data.parts.length === 0) return null;
  const bars = data.parts.map((part) => TONES.map((tone) => countOf(part, tone)));
  const sums = bars.map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const most = Math.max(1, ...sums);
  const total = sums.reduce((sum, count) => sum + count, 0);
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" mb={4}>
        <Text size="sm" role="status">
          {t("count", { number: formatNumber(total) })}
        </Text>
        <Text size="xs" c="dimmed">
          {formatTime(data.parts[0]?.at)} – {formatTime(data.parts.at(-1)?.at)}
        </Text>
      </Group>
      <svg
        className="log-histogram"
        viewBox={`0 0 ${bars.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("overTime")}
      >
        {bars.map((counts, at) => {
          let top = HEIGHT;
          return TONES.map((tone, index) => {
            const height = ((counts[index] ?? 0) / most) * HEIGHT;
            top -= height;
            return height === 0 ? null : (
              <rect key={`${at} ${tone}`} data-tone={tone} x={at + 0.1} y={top} width={0.8} height={height} />
            );
          });
        })}
      </svg>
    </Card>
  );
}
