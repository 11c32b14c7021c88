import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Partner } from "@/api/cluster";
import { formatBytes, formatNumber } from "@/lib/format";

/** Who else keeps the sessions of a node, and how far behind that copy is. */
export function PartnerOf({ partner }: { partner: Partner }): ReactElement {
  const { t, i18n } = useTranslation("nodes");
  if (partner.node === undefined) {
    return (
      <Text span size="sm" fw={600}>
        {t("partner.none")}
      </Text>
    );
  }
  const lag = formatNumber(partner.lag, i18n.language);
  const shown = { node: partner.node, lag, bytes: formatBytes(partner.lag_bytes) };
  return (
    <Text span size="sm" {...(partner.is_whole ? {} : { fw: 600 })}>
      {t(partner.is_whole ? "partner.whole" : "partner.begun", shown)}
    </Text>
  );
}
