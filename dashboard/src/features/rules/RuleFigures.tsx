import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Figures, RuleRow } from "@/api/shapes";
import { BridgeFigures } from "@/components/integration/BridgeFigures";
import { FigureCard } from "@/components/integration/FigureCard";
import { useAct } from "@/components/useAct";

import { isAction } from "./outputs";

const OF_RULE = [
  "matched",
  "passed",
  "failed",
  "failed.exception",
  "failed.no_result",
  "matched.rate",
  "matched.rate.last5m",
  "matched.rate.max",
] as const;
const OF_OUTPUTS = [
  "actions.total",
  "actions.success",
  "actions.failed",
  "actions.failed.out_of_service",
  "actions.failed.unknown",
  "actions.discarded",
] as const;

/** Figures that are a part of the one above, or another view of it. */
const PARTS = /failed\.|rate\./;

interface RuleFiguresProps {
  rule: RuleRow;
  figures: Figures | undefined;
}

/** The counters of a rule and of each of its actions. */
export function RuleFigures({ rule, figures }: RuleFiguresProps): ReactElement {
  const { t } = useTranslation("rules");
  const mayChange = useMayChange();
  const reset = useAct({
    run: () => call("put", "/rules/{id}/metrics/reset", { path: { id: rule.id } }),
    refresh: ["/rules"],
    done: t("reset.done"),
    ask: () => ({
      title: t("reset.title"),
      text: t("reset.text", { id: rule.id }),
      action: t("reset.action"),
    }),
  });
  const rows = (keys: readonly string[]) =>
    keys.map(
      (key) => [key, t(`figures.${key.replaceAll(".", "_")}`), PARTS.test(key)] as const,
    );
  return (
    <div className="cards">
      <FigureCard
        title={t("figures.rule")}
        rows={rows(OF_RULE)}
        figures={figures}
        buttons={
          mayChange && (
            <Button
              size="xs"
              variant="default"
              aria-label={t("reset.one", { id: rule.id })}
              onClick={() => void reset.act()}
            >
              {t("reset.action")}
            </Button>
          )
        }
      />
      <FigureCard title={t("figures.outputs")} rows={rows(OF_OUTPUTS)} figures={figures} />
      {[...new Set(rule.actions.filter(isAction))].map((id) => (
        <BridgeFigures key={id} kind="actions" id={id} title={id} />
      ))}
    </div>
  );
}
