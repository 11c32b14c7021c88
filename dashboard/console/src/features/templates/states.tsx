/** How deliveries, their targets and drift are shown. */
import { Badge } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

const COLORS: Record<string, string> = {
  succeeded: "teal",
  same: "teal",
  ready: "teal",
  stopping: "orange",
  failed: "red",
  expired: "red",
  invalid: "red",
  changed: "red",
  other: "red",
  unreachable: "orange",
  skipped: "orange",
};

interface WordProps {
  /** Which words: a key of `templates.json`. */
  of: "deliveryStates" | "targetStates" | "triedStates" | "driftStates";
  state: string;
}

export function Word({ of, state }: WordProps): ReactElement {
  const { t } = useTranslation("templates");
  return (
    <Badge color={COLORS[state] ?? "gray"} variant="light" tt="none" miw="max-content">
      {t(`${of}.${state}`)}
    </Badge>
  );
}

const ORDER = ["succeeded", "running", "waiting", "failed", "expired", "skipped"];

/** How many targets are in which state, in words. */
export function useCounts(): (counts: Record<string, number>) => string {
  const { t } = useTranslation("templates");
  return (counts) =>
    ORDER.filter((state) => (counts[state] ?? 0) > 0)
      .map((state) => t("countOf", { count: counts[state] ?? 0, state: t(`targetStates.${state}`) }))
      .join(" · ");
}
