/** What a cluster counted over time, as charts take it. */
import { formatBytes, formatDuration, formatNumber } from "@/lib/format";
import type { Metrics, MetricLine } from "@console/api/shapes";

export const SPANS = ["hour", "day", "week"] as const;
export type Span = (typeof SPANS)[number];

/** How far back a chart goes and how much time a point is of, in seconds. */
export const REACH: Record<Span, { last: number; step: number }> = {
  hour: { last: 3600, step: 15 },
  day: { last: 86_400, step: 300 },
  week: { last: 7 * 86_400, step: 1800 },
};

export type Point = { at: number } & Record<string, number | null>;

/** A row for each point; a line has nothing where nothing was heard. */
export function pointsOf(metrics: Metrics, node: string): Point[] {
  const begin = Date.parse(metrics.from);
  const lines = metrics.series.filter((line) => line.node === node);
  const count = Math.max(0, ...lines.map((line) => line.values.length));
  return Array.from({ length: count }, (_, index) => ({
    at: begin + index * metrics.stepMs,
    ...Object.fromEntries(lines.map((line) => [line.name, line.values[index] ?? null])),
  }));
}

/** Nodes that have figures of their own. */
export function nodesIn(metrics: Metrics): string[] {
  return [...new Set(metrics.series.map(({ node }) => node))].filter((node) => node !== "").sort();
}

/** The last value that was heard. */
export function latestOf(points: readonly Point[], name: string): number | undefined {
  for (let index = points.length - 1; index >= 0; index -= 1) {
    const value = points[index]?.[name];
    if (typeof value === "number") return value;
  }
  return undefined;
}

export function formatUnit(unit: MetricLine["unit"], language: string): (value: number) => string {
  if (unit === "bytes") return formatBytes;
  if (unit === "bytesPerSecond") return (value) => `${formatBytes(value)}/s`;
  if (unit === "ms") return (value) => formatDuration(value, language);
  return (value) => formatNumber(value, language);
}

/** The time of a point: as short as the span allows. */
export function formatAt(at: number, span: Span, language: string): string {
  return new Intl.DateTimeFormat(language, {
    ...(span === "week" && { month: "2-digit", day: "2-digit" }),
    hour: "2-digit",
    minute: "2-digit",
    ...(span === "hour" && { second: "2-digit" }),
    hour12: false,
  }).format(new Date(at));
}
