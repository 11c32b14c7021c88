import { Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";

import { useGet } from "@/api/hooks";

import { StatusBadge } from "./StatusBadge";

const EVERY_MS = 10_000;

interface ServiceStatusProps {
  /** Of the operation that says it. */
  path: "/authentication/{id}/status" | "/authorization/sources/{type}/status";
  of: Record<string, string>;
}

/** Whether a provider or source can be asked and, if not, why. */
export function ServiceStatus({ path, of }: ServiceStatusProps): ReactElement | null {
  const status = useGet(path, { path: of, every: EVERY_MS });
  const state = status.data?.status;
  if (state === undefined) return null;
  const reasons = [...new Set(status.data?.node_error?.map((each) => each.error))];
  return (
    <Stack gap={2} align="flex-start" className="status-cell">
      <StatusBadge state={state} isFault />
      {reasons.map((reason) => (
        <Text key={reason} size="xs" className="wrap">
          {reason}
        </Text>
      ))}
    </Stack>
  );
}
