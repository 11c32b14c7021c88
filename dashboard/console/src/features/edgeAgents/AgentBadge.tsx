/** As the page of ECP has it: not managed and online, not managed and offline, managed. */
import { Badge, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { EdgeAgentRow } from "@console/api/shapes";

export function AgentBadge({ agent }: { agent: EdgeAgentRow }): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const isOnline = agent.presence === "online";
  const word = t(`presences.${isOnline ? "online" : "offline"}`);
  const color =
    agent.state === "rejected" ? "red" : !isOnline ? "gray" : agent.state === "managed" ? "teal" : "orange";
  const shown =
    agent.state === "rejected" ? t("states.rejected") : `${t(`states.${agent.state}`)} - ${word}`;
  return (
    <>
      <Badge color={color} variant="light" tt="none" miw="max-content">
        {shown}
      </Badge>
      {agent.state === "rejected" && agent.rejectReason && (
        <Text size="xs" c="dimmed">
          {agent.rejectReason}
        </Text>
      )}
      {agent.hasLeft && (
        <Text size="xs" c="dimmed">
          {t("hasLeft")}
        </Text>
      )}
    </>
  );
}
