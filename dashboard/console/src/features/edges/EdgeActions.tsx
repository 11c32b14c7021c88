/** What can be done with an edge service: its own pages as a button, the rest in a menu. */
import { Button, Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "@/components/icons";
import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import type { EdgeServiceRow } from "@console/api/shapes";
import { EDGE, EDGE_REFRESH } from "@console/components/edgePaths";

import type { EdgeDialogName } from "./dialogs";
import { useOpenEdge } from "./useOpenEdge";

interface EdgeActionsProps {
  edge: EdgeServiceRow;
  mayChange: boolean;
  onOpen: (name: EdgeDialogName) => void;
  onGone?: () => void;
}

export function EdgeActions({ edge, mayChange, onOpen, onGone }: EdgeActionsProps): ReactElement {
  const { t } = useTranslation("edges");
  const openEdge = useOpenEdge();
  const { name } = edge;
  const unadopt = useAct({
    run: () =>
      call("post", `${EDGE}/unadopt`, {
        path: { org: edge.orgId, project: edge.projectId, service: edge.id },
      }),
    refresh: EDGE_REFRESH,
    done: t("unadopted"),
    ask: () => ({ title: t("unadopt"), text: t("unadoptText", { name }), action: t("unadopt") }),
  });
  const letGo = async () => {
    if (await unadopt.act()) onGone?.();
  };
  return (
    <>
      <Button
        size="xs"
        variant="light"
        aria-label={t("openOne", { name })}
        disabled={edge.mode === "agent" && edge.presence !== "online"}
        onClick={() => void openEdge(edge)}
      >
        {t("open")}
      </Button>
      {mayChange && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button
              size="xs"
              variant="default"
              aria-label={t("moreOf", { name })}
              rightSection={<Icon name="down" size={14} />}
            >
              {t("moreActions")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => onOpen("edit")}>{t("edit")}</Menu.Item>
            {edge.mode === "direct" && (
              <Menu.Item onClick={() => onOpen("move")}>{t("direct.move")}</Menu.Item>
            )}
            <Menu.Item onClick={() => onOpen("transfer")}>{t("transfer")}</Menu.Item>
            {edge.mode === "agent" && (
              <Menu.Item onClick={() => void letGo()}>{t("unadopt")}</Menu.Item>
            )}
            <Menu.Divider />
            <Menu.Item color="red" onClick={() => onOpen("delete")}>
              {t("delete")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
