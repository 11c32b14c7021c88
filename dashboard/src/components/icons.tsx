/** The few pictures there are, drawn for this dashboard. */
import type { ReactElement } from "react";

const PATHS = {
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  moon: "M20 14A8 8 0 1 1 10 4a7 7 0 0 0 10 10z",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  refresh: "M20 5v5h-5M4 19v-5h5M5.5 9a7 7 0 0 1 12-2.500L20 10M4 14l2.500 3.500a7 7 0 0 0 12-2.500",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c.5-4 3.500-6 8-6s7.500 2 8 6",
  leave: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }): ReactElement {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
