import { Switch } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { ClusterLink } from "@/api/shapes";
import { useAct } from "@/components/useAct";

import { ONE, REFRESH } from "./links";

export function LinkSwitch({ row }: { row: ClusterLink }): ReactElement {
  const { t } = useTranslation("clusterLinks");
  const mayChange = useMayChange();
  const toggle = useAct<boolean>({
    run: (enable) =>
      call("put", ONE, { path: { name: row.name }, body: { ...row, enable } }),
    refresh: REFRESH,
    done: t("saved"),
    ask: (enable) => ({
      title: t(enable ? "enableOne" : "disableOne", { name: row.name }),
      text: t(enable ? "enableText" : "disableText", { name: row.name }),
      action: t(enable ? "enable" : "disable"),
    }),
  });
  return (
    <Switch
      aria-label={t("enableOne", { name: row.name })}
      disabled={!mayChange || toggle.isBusy}
      checked={row.enable}
      onChange={(event) => void toggle.act(event.currentTarget.checked)}
    />
  );
}
