import { Badge } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

const GOOD = new Set(["true", "running", "connected", "enabled", "success", "allow", "started"]);
const BAD = new Set(["failure", "deny", "inconsistent", "crashed", "failed"]);
const WAITING = new Set(["connecting", "waiting", "starting"]);

interface StatusBadgeProps {
  state: string;
  /** Being disconnected is nobody's wish. */
  isFault?: boolean;
}

/** A state in words, coloured as well: colour alone tells nobody who cannot see it. */
export function StatusBadge({ state, isFault = false }: StatusBadgeProps): ReactElement {
  const { t, i18n } = useTranslation();
  const color = GOOD.has(state)
    ? "teal"
    : BAD.has(state) || (isFault && state === "disconnected")
      ? "red"
      : WAITING.has(state)
        ? "orange"
        : "gray";
  const key = `state.${state}`;
  return (
    <Badge color={color} variant="light" tt="none" miw="max-content">
      {i18n.exists(key, { ns: "common" }) ? t(key) : state}
    </Badge>
  );
}
