import { Switch } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Integrated } from "@/api/shapes";
import { useAct } from "@/components/useAct";

import { idOf, REFRESH, type Kind } from "./kinds";

interface EnableSwitchProps {
  kind: Kind;
  row: Integrated;
}

export function EnableSwitch({ kind, row }: EnableSwitchProps): ReactElement {
  const { t } = useTranslation("integration");
  const mayChange = useMayChange();
  const id = idOf(row);
  const toggle = useAct<boolean>({
    run: (enable) =>
      call("put", `/${kind}/{id}/enable/{enable}`, { path: { id, enable: String(enable) } }),
    refresh: REFRESH,
    done: t("saved"),
  });
  return (
    <Switch
      aria-label={t("enableOne", { name: id })}
      disabled={!mayChange || toggle.isBusy}
      checked={row.enable !== false}
      onChange={(event) => void toggle.act(event.currentTarget.checked)}
    />
  );
}
