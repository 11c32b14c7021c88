/** What an edge service counted in the last hour, day or week; drawn on when a report arrives. */
import { useState } from "react";
import type { ReactElement } from "react";

import { useGet } from "@console/api/hooks";
import type { EdgeServiceDetail } from "@console/api/shapes";
import { ChartSection, type ChartPlan } from "@console/components/charts/ChartSection";
import { REACH, type Span } from "@console/components/charts/history";
import { useBeat } from "@console/components/charts/useBeat";
import { EDGE_METRICS } from "@console/components/edgePaths";

const PLANS: readonly ChartPlan[] = [
  { name: "values", unit: "perSecond", series: ["reads", "readErrors"] },
  { name: "messages", unit: "perSecond", series: ["sent", "sendErrors"] },
  { name: "streams", unit: "perSecond", series: ["streamIn", "streamOut"] },
  { name: "devices", unit: "count", series: ["driversRunning", "driversAbnormal", "appsAbnormal"] },
  { name: "tags", unit: "count", series: ["tags", "tagsInUse"] },
  { name: "waiting", unit: "count", series: ["cached"] },
  { name: "load", unit: "load", series: ["load1"] },
  { name: "memory", unit: "bytes", series: ["processMemory", "memoryUsed", "memoryTotal"] },
];

export default function Charts({ edge }: { edge: EdgeServiceDetail }): ReactElement {
  const [span, setSpan] = useState<Span>("hour");
  const { last, step } = REACH[span];
  const answer = useGet(EDGE_METRICS, {
    path: { org: edge.orgId, project: edge.projectId, service: edge.id },
    query: { last, step },
  });
  useBeat(edge.lastReportAt, step, answer.refetch);
  return (
    <ChartSection
      metrics={answer.data}
      error={answer.error}
      onRetry={() => void answer.refetch()}
      span={span}
      onSpan={setSpan}
      plans={PLANS}
    />
  );
}
