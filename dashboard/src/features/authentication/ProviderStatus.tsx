import type { ReactElement } from "react";

import { useGet } from "@/api/hooks";
import { StatusBadge } from "@/components/StatusBadge";

const EVERY_MS = 10_000;

export function ProviderStatus({ id }: { id: string }): ReactElement | null {
  const status = useGet("/authentication/{id}/status", { path: { id }, every: EVERY_MS });
  const state = status.data?.status;
  return state === undefined ? null : <StatusBadge state={state} />;
}
