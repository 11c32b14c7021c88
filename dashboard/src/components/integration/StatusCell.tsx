import { Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Integrated } from "@/api/shapes";
import { formatTime } from "@/lib/format";

import { StateBadge } from "./StateBadge";

/** The state, why it is so, and since when. */
export function StatusCell({ row }: { row: Integrated }): ReactElement {
  const { t, i18n } = useTranslation("integration");
  const reason =
    (i18n.language === "zh" ? row.status_reason_zh : undefined) || row.status_reason || "";
  if (row.enable === false) return <StateBadge row={row} />;
  return (
    <Stack gap={2} align="flex-start" className="status-cell">
      <StateBadge row={row} />
      {reason !== "" && (
        <Text size="xs" className="wrap">
          {reason}
        </Text>
      )}
      {row.status_since !== undefined && row.status_since !== null && (
        <Text size="xs" c="dimmed">
          {t("since", { time: formatTime(row.status_since) })}
        </Text>
      )}
    </Stack>
  );
}
