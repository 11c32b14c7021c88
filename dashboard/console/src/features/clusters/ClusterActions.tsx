/** What can be done with a cluster: the next step as a button, the rest in a menu. */
import { Button, Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "@/components/icons";
import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import type { ClusterRow } from "@console/api/shapes";

import type { DialogName } from "./dialogs";
import { CLUSTER, REFRESH } from "./paths";
import { canEnter, isOccupied } from "./state";
import { useEnter } from "./useEnter";

interface ClusterActionsProps {
  cluster: ClusterRow;
  mayChange: boolean;
  onOpen: (name: DialogName) => void;
}

export function ClusterActions({ cluster, mayChange, onOpen }: ClusterActionsProps): ReactElement {
  const { t } = useTranslation("clusters");
  const enter = useEnter();
  const { name } = cluster;
  const unregister = useAct({
    run: () =>
      call("post", `${CLUSTER}/unregister`, {
        path: { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id },
      }),
    refresh: REFRESH,
    done: t("unregistered"),
    ask: () => ({
      title: t("unregister"),
      text: t("unregisterText", { name }),
      action: t("unregister"),
    }),
  });
  const isFree = !isOccupied(cluster) && cluster.state !== "deleting";
  return (
    <>
      {mayChange && isFree && (
        <Button
          size="xs"
          aria-label={t("registerOne", { name })}
          onClick={() => onOpen("register")}
        >
          {t("register")}
        </Button>
      )}
      {canEnter(cluster) && (
        <Button
          size="xs"
          variant="light"
          aria-label={t("enterOne", { name })}
          onClick={() => void enter(cluster)}
        >
          {t("enter")}
        </Button>
      )}
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
            <Menu.Item onClick={() => onOpen("transfer")}>{t("transfer")}</Menu.Item>
            {isOccupied(cluster) && (
              <>
                <Menu.Item onClick={() => onOpen("register")}>{t("registerAgain")}</Menu.Item>
                <Menu.Item onClick={() => void unregister.act()}>{t("unregister")}</Menu.Item>
              </>
            )}
            <Menu.Divider />
            <Menu.Item color="red" onClick={() => onOpen("delete")}>
              {t("delete.action")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
