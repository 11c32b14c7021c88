import { Badge, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { LimitRow, QuotaDetail } from "@console/api/shapes";

import { HOLD_COLORS } from "./words";

/** How a limit stands, and why. */
export function Hold({ quota }: { quota: QuotaDetail | LimitRow }): ReactElement {
  const { t } = useTranslation("quota");
  const word = t(`holds.${quota.state}`);
  return (
    <>
      <Badge color={HOLD_COLORS[quota.state]} variant="light" tt="none" miw="max-content">
        {word}
      </Badge>
      {quota.text !== word && (
        <Text size="sm" className="wrap">
          {quota.text}
        </Text>
      )}
    </>
  );
}
