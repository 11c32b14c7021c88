import type { ReactElement } from "react";

import { StatusBadge } from "@/components/StatusBadge";

interface StateBadgeProps {
  row: { enable?: boolean; status?: string };
}

/** Switched off, or how it does. */
export function StateBadge({ row }: StateBadgeProps): ReactElement {
  const state = row.enable === false ? "disabled" : (row.status ?? "connecting");
  return <StatusBadge state={state} isFault />;
}
