/** The state of a cluster; pressed, it says why it is so and since when. */
import { Badge, Popover, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { ClusterRow } from "@console/api/shapes";

import { Conditions } from "./Conditions";

const COLORS: Record<string, string> = {
  running: "teal",
  abnormal: "red",
  registering: "orange",
  deleting: "orange",
};

export function StateBadge({ cluster }: { cluster: ClusterRow }): ReactElement {
  const { t } = useTranslation("clusters");
  const [isOpen, setOpen] = useState(false);
  const word = t(`states.${cluster.state}`);
  return (
    <Popover opened={isOpen} onChange={setOpen} width={360} position="bottom-start" shadow="md" trapFocus>
      <Popover.Target>
        <button
          type="button"
          className="state-badge"
          aria-label={t("whyState", { name: cluster.name, state: word })}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <Badge color={COLORS[cluster.state] ?? "gray"} variant="light" tt="none" component="span">
            {word}
          </Badge>
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t("conditions")}>
        <Text size="sm" fw={650} mb={4}>
          {t(`meaning.${cluster.state}`)}
        </Text>
        <Conditions conditions={cluster.conditions} />
      </Popover.Dropdown>
    </Popover>
  );
}
