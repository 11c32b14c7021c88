import { Alert, Button, Group } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { Rebalancing } from "@/api/cluster";
import { useMayChange } from "@/api/session";
import { useAct } from "@/components/useAct";

interface RebalanceProps {
  self: string;
  under: readonly Rebalancing[];
  refresh: readonly string[];
}

/** Evening out the clients of all nodes: what is under way, else a button for it. */
export function Rebalance({ self, under, refresh }: RebalanceProps): ReactElement {
  const { t } = useTranslation("nodes");
  const mayChange = useMayChange();
  const start = useAct({
    run: () => call("post", "/load_rebalance/{node}/start", { path: { node: self }, body: {} }),
    refresh,
    done: t("rebalance.done"),
    ask: () => ({
      title: t("rebalance.title"),
      text: t("rebalance.text"),
      action: t("rebalance.action"),
    }),
  });
  const stop = useAct<string>({
    run: (node) => call("post", "/load_rebalance/{node}/stop", { path: { node } }),
    refresh,
    done: t("rebalance.stopped"),
  });
  return (
    <>
      {under.map((row) => (
        <Alert key={row.node} color="orange">
          <Group justify="space-between">
            {t("rebalance.under", { donors: row.donors.join(", "), goal: row.connection_goal })}
            {mayChange && (
              <Button size="compact-sm" variant="default" onClick={() => void stop.act(row.node)}>
                {t("rebalance.stop")}
              </Button>
            )}
          </Group>
        </Alert>
      ))}
      {mayChange && under.length === 0 && (
        <Group>
          <Button variant="default" size="compact-sm" onClick={() => void start.act()}>
            {t("rebalance.action")}
          </Button>
        </Group>
      )}
    </>
  );
}
