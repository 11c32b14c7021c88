import { Badge, Group, Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { NodeRow } from "@edge/api/shapes";

export const RUNNING = 3;
const STATES: Record<number, string> = { 1: "init", 2: "ready", 3: "running", 4: "stopped" };

/** Whether a node runs, and whether the other side answers; why not, in words. */
export function NodeState({ node }: { node: NodeRow }): ReactElement {
  const { t } = useTranslation();
  const isRunning = node.running === RUNNING;
  const link = node.link === 1 ? "connected" : "disconnected";
  const badge = (
    <Badge
      color={link === "connected" ? "teal" : "red"}
      variant="light"
      tt="none"
      miw="max-content"
      {...(node.reason !== "" && { tabIndex: 0 })}
    >
      {t(`state.${link}`)}
    </Badge>
  );
  return (
    <Group gap={6} wrap="nowrap">
      <Badge color={isRunning ? "teal" : "gray"} variant="light" tt="none" miw="max-content">
        {t(`nodeState.${STATES[node.running] ?? "init"}`)}
      </Badge>
      {isRunning &&
        (node.reason === "" ? (
          badge
        ) : (
          <Tooltip label={node.reason} multiline maw={360} events={{ hover: true, focus: true, touch: true }}>
            {badge}
          </Tooltip>
        ))}
    </Group>
  );
}
