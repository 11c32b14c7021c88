import { Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { ClusterLink } from "@/api/shapes";
import { StatusBadge } from "@/components/StatusBadge";

/** The state, why it is so, and what to do about it on which side. */
export function LinkState({ row }: { row: ClusterLink }): ReactElement {
  const { i18n } = useTranslation();
  const isChinese = i18n.language === "zh";
  const reason = isChinese ? row.status_reason_zh : row.status_reason;
  const hint = isChinese ? row.hint_zh : row.hint;
  const warning = isChinese ? row.warning_zh : row.warning;
  return (
    <Stack gap={2} align="flex-start" className="status-cell">
      <StatusBadge state={row.enable ? row.status : "disabled"} isFault={row.enable} />
      {reason !== "" && (
        <Text size="xs" className="wrap">
          {reason}
        </Text>
      )}
      {hint !== "" && (
        <Text size="xs" className="wrap" fw={600}>
          {hint}
        </Text>
      )}
      {warning !== "" && (
        <Text size="xs" className="wrap" c="red">
          {warning}
        </Text>
      )}
    </Stack>
  );
}
