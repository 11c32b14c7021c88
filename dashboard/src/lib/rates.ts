/** The node's samples hold what happened since the sample before; charts show it per second. */

export interface Sample {
  time_stamp: number;
  [name: string]: number;
}

const DEFAULT_INTERVAL_MS = 10_000;

/** Gauges stay as they are, `counters` become rates. */
export function toRates(samples: readonly Sample[], counters: readonly string[]): Sample[] {
  const sorted = [...samples].sort((one, other) => one.time_stamp - other.time_stamp);
  return sorted.map((sample, index) => {
    const before = sorted[index - 1];
    const span = before ? sample.time_stamp - before.time_stamp : DEFAULT_INTERVAL_MS;
    // After a gap a sample still covers one interval, not the gap.
    const seconds = Math.min(Math.max(span, 1000), 6 * DEFAULT_INTERVAL_MS) / 1000;
    const shown: Sample = { ...sample };
    for (const name of counters) {
      shown[name] = Math.round(((sample[name] ?? 0) / seconds) * 100) / 100;
    }
    return shown;
  });
}
