import { useEffect } from "react";

/** Asks again when a report has added a point; where a point is of longer, many reports do. */
export function useBeat(lastReportAt: string | null, stepS: number, refetch: () => unknown): void {
  const beat = Math.floor(Date.parse(lastReportAt ?? "") / (Math.min(stepS, 60) * 1000));
  useEffect(() => {
    if (!Number.isNaN(beat)) void refetch();
  }, [beat, refetch]);
}
