import { Badge } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

export function SeverityBadge({ severity }: { severity: string }): ReactElement {
  const { t } = useTranslation("alarms");
  return (
    <Badge
      color={severity === "critical" ? "red" : "orange"}
      variant="light"
      tt="none"
      miw="max-content"
    >
      {t(`severities.${severity}`)}
    </Badge>
  );
}
