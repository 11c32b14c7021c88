import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { ConnectorRow } from "@/api/shapes";
import { idOf, REFRESH } from "@/components/integration/kinds";
import { useAct } from "@/components/useAct";

interface RestartButtonProps {
  row: ConnectorRow;
  size?: string;
}

export function RestartButton({ row, size = "sm" }: RestartButtonProps): ReactElement {
  const { t } = useTranslation("integration");
  const id = idOf(row);
  const restart = useAct({
    run: () =>
      call("post", "/connectors/{id}/{operation}", { path: { id, operation: "restart" } }),
    refresh: REFRESH,
    done: t("restart.done"),
  });
  return (
    <Button
      variant="default"
      size={size}
      aria-label={t("restart.one", { name: id })}
      disabled={row.enable === false}
      loading={restart.isBusy}
      onClick={() => void restart.act()}
    >
      {t("restart.action")}
    </Button>
  );
}
