/** What can be done with a cluster: the next step as a button, the rest in a menu. */
import { Button, Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Icon } from "@/components/icons";
import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import type { ClusterRow } from "@console/api/shapes";
import { clustersPath } from "@console/components/place";
import { useEnter } from "@console/components/useEnter";

import type { DialogName } from "./dialogs";
import { CLUSTER, REFRESH } from "./paths";
import { canEnter, isOccupied } from "./state";

function quotaPath({ orgId, projectId, id }: ClusterRow): string {
  return `${clustersPath({ org: orgId, project: projectId })}/${encodeURIComponent(id)}/quota`;
}

interface ClusterActionsProps {
  cluster: ClusterRow;
  mayChange: boolean;
  onOpen: (name: DialogName) => void;
}

export function ClusterActions({ cluster, mayChange, onOpen }: ClusterActionsProps): ReactElement {
  const { t } = useTranslation("clusters");
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
      {canEnter(cluster) && <EnterButton cluster={cluster} />}
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
                <Menu.Item component={Link} to={quotaPath(cluster)}>
                  {t("changeLimit")}
                </Menu.Item>
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

/** To its address where one is known; the other way, or the only one, is the tunnel. */
function EnterButton({ cluster }: { cluster: ClusterRow }): ReactElement {
  const { t } = useTranslation("clusters");
  const enter = useEnter();
  const { name } = cluster;
  const hasAddress = cluster.address !== "";
  return (
    <Button.Group>
      <Button
        size="xs"
        variant="light"
        aria-label={t("enterOne", { name })}
        onClick={() => void enter(cluster, hasAddress ? "direct" : "tunnel")}
      >
        {t("enter")}
      </Button>
      {hasAddress && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="xs" variant="light" px={6} aria-label={t("waysInto", { name })}>
              <Icon name="down" size={14} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => void enter(cluster, "direct")}>{t("enterDirectly")}</Menu.Item>
            <Menu.Item onClick={() => void enter(cluster, "tunnel")}>{t("enterTunnel")}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </Button.Group>
  );
}
