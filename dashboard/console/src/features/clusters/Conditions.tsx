import { Badge, Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatTime } from "@/lib/format";
import type { Condition } from "@console/api/shapes";

/** What is wrong, since when, and what was said about it. */
export function Conditions({ conditions }: { conditions: readonly Condition[] }): ReactElement {
  const { t, i18n } = useTranslation("clusters");
  if (conditions.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t("noConditions")}
      </Text>
    );
  }
  const nameOf = (type: string) => {
    const key = `condition.${type}`;
    return i18n.exists(key, { ns: "clusters" }) ? t(key) : type;
  };
  return (
    <ul className="condition-list">
      {conditions.map((condition) => (
        <li key={condition.type}>
          <Group gap="xs" justify="space-between">
            <Badge
              color={condition.severity === "warning" ? "orange" : "red"}
              variant="light"
              tt="none"
            >
              {nameOf(condition.type)}
            </Badge>
            <Text size="xs" c="dimmed">
              {t("sinceWhen", { time: formatTime(condition.since) })}
            </Text>
          </Group>
          <Text size="sm" className="wrap" mt={4}>
            {condition.text}
          </Text>
        </li>
      ))}
    </ul>
  );
}
