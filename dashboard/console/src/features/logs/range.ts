/** From when to when records are shown. */

const HOUR_MS = 3_600_000;

export const RANGES = { "15m": HOUR_MS / 4, "1h": HOUR_MS, "6h": 6 * HOUR_MS, "1d": 24 * HOUR_MS, "7d": 168 * HOUR_MS } as const;

export type RangeName = keyof typeof RANGES;

export const RANGE_DEFAULT: RangeName = "1h";

export interface Span {
  since: string;
  until?: string;
}

interface Asked {
  range: string;
  since: string;
  until: string;
}

/** What is typed counts; without, the time up to now. */
export function spanOf({ range, since, until }: Asked, nowMs: number): Span {
  const length = RANGES[range in RANGES ? (range as RangeName) : RANGE_DEFAULT];
  const endMs = until === "" ? nowMs : Date.parse(until);
  return {
    since: since === "" ? new Date(endMs - length).toISOString() : since,
    ...(until !== "" && { until }),
  };
}
