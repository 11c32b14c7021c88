import { Badge } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatDuration } from "@/lib/format";
import type { EdgeServiceRow } from "@console/api/shapes";

const COLORS: Record<string, string> = {
  running: "teal",
  abnormal: "red",
  offline: "red",
  waiting: "orange",
};

export function EdgeBadge({ edge }: { edge: Pick<EdgeServiceRow, "state"> }): ReactElement {
  const { t } = useTranslation("edges");
  return (
    <Badge color={COLORS[edge.state] ?? "gray"} variant="light" tt="none" miw="max-content">
      {t(`states.${edge.state}`)}
    </Badge>
  );
}

/** How old the last report is. */
export function ReportAge({ edge }: { edge: Pick<EdgeServiceRow, "reportAgeMs"> }): ReactElement {
  const { t, i18n } = useTranslation("edges");
  const age = edge.reportAgeMs;
  if (typeof age !== "number") return <>{t("noReport")}</>;
  return <>{t("ago", { time: formatDuration(Math.max(1000, Math.floor(age / 1000) * 1000), i18n.language) })}</>;
}

interface Counts {
  total: number;
  running: number;
  abnormal: number;
}

/** Those that run, of all. */
export function shownCounts({ running, total }: Counts): string {
  return `${running} / ${total}`;
}
