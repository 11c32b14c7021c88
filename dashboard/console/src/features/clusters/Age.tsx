import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatDuration } from "@/lib/format";
import type { ClusterRow } from "@console/api/shapes";

import { useAge } from "./useAge";

/** How old the last report is. */
export function ReportAge({ cluster }: { cluster: ClusterRow }): ReactElement {
  const { t, i18n } = useTranslation("clusters");
  const age = useAge(cluster.reportAgeMs ?? undefined, cluster.lastReportAt);
  if (age === undefined) return <>{t("noReport")}</>;
  const whole = Math.max(1000, Math.floor(age / 1000) * 1000);
  return <>{t("ago", { time: formatDuration(whole, i18n.language) })}</>;
}
