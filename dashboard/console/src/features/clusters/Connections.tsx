import { Progress, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ABSENT, formatNumber } from "@/lib/format";
import type { ClusterRow } from "@console/api/shapes";

import { usedShare } from "./state";

const NEARLY_FULL = 90;

/** Connections against the limit. */
export function Connections({ cluster }: { cluster: ClusterRow }): ReactElement {
  const { t, i18n } = useTranslation("clusters");
  const share = usedShare(cluster);
  const limit =
    typeof cluster.connectionLimit === "number" && cluster.connectionLimit > 0
      ? formatNumber(cluster.connectionLimit, i18n.language)
      : t("unlimited");
  const used = formatNumber(cluster.connections, i18n.language);
  if (used === ABSENT) return <>{ABSENT}</>;
  return (
    <>
      <Text span size="sm">
        {t("usedOf", { used, limit })}
      </Text>
      {share !== undefined && (
        <Progress
          value={share}
          size="sm"
          mt={4}
          miw="7rem"
          color={share >= NEARLY_FULL ? "red" : "cyan"}
          aria-label={t("connectionsOf", { name: cluster.name })}
        />
      )}
    </>
  );
}
