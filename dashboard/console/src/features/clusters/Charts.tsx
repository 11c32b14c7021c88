/** What a cluster counted in the last hour, day or week; drawn on when a report arrives. */
import { useState } from "react";
import type { ReactElement } from "react";

import { useGet } from "@console/api/hooks";
import type { ClusterDetail } from "@console/api/shapes";
import { ChartSection, type ChartPlan } from "@console/components/charts/ChartSection";
import { REACH, type Span } from "@console/components/charts/history";
import { useBeat } from "@console/components/charts/useBeat";

import { METRICS } from "./paths";

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

export default function Charts({ cluster }: { cluster: ClusterDetail }): ReactElement {
  const [span, setSpan] = useState<Span>("hour");
  const { last, step } = REACH[span];
  const answer = useGet(METRICS, {
    path: { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id },
    query: { last, step, node: "*" },
  });
  useBeat(cluster.lastReportAt, step, answer.refetch);
  return (
    <ChartSection
      metrics={answer.data}
      error={answer.error}
      onRetry={() => void answer.refetch()}
      span={span}
      onSpan={setSpan}
      plans={OF_CLUSTER}
      ofNode={OF_NODE}
    />
  );
}
