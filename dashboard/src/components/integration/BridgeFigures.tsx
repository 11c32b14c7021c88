import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import { useAct } from "@/components/useAct";

import { FigureCard } from "./FigureCard";
import { EVERY_MS, type BridgeKind } from "./kinds";

const OF_ACTION = [
  "matched",
  "success",
  "failed",
  "dropped",
  "dropped.queue_full",
  "dropped.expired",
  "dropped.resource_not_found",
  "dropped.resource_stopped",
  "dropped.other",
  "queuing",
  "inflight",
  "retried",
  "rate",
  "rate_last5m",
  "rate_max",
] as const;
const OF_SOURCE = ["received", "rate", "rate_last5m", "rate_max"] as const;

interface BridgeFiguresProps {
  kind: BridgeKind;
  id: string;
  title: string;
}

/** What became of everything that was handed to an action, or came from a source. */
export function BridgeFigures({ kind, id, title }: BridgeFiguresProps): ReactElement {
  const { t } = useTranslation("integration");
  const mayChange = useMayChange();
  const path: "/actions/{id}/metrics" | "/sources/{id}/metrics" = `/${kind}/{id}/metrics`;
  const answer = useGet(path, { path: { id }, every: EVERY_MS });
  const reset = useAct({
    run: () => call("put", `${path}/reset`, { path: { id } }),
    refresh: [path],
    done: t("figures.reset.done"),
    ask: () => ({
      title: t("figures.reset.title"),
      text: t("figures.reset.text", { name: id }),
      action: t("figures.reset.action"),
    }),
  });
  const keys = kind === "actions" ? OF_ACTION : OF_SOURCE;
  return (
    <FigureCard
      title={title}
      rows={keys.map(
        (key) => [key, t(`figures.${key.replace(".", "_")}`), /[._]/.test(key)] as const,
      )}
      figures={answer.data?.metrics}
      buttons={
        mayChange && (
          <Button
            size="xs"
            variant="default"
            aria-label={t("figures.reset.one", { name: id })}
            onClick={() => void reset.act()}
          >
            {t("figures.reset.action")}
          </Button>
        )
      }
    />
  );
}
