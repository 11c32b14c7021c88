import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

/** Done or not, for the eye and for the ear. */
export function CheckMark({ isDone }: { isDone: boolean }): ReactElement {
  const { t } = useTranslation();
  return (
    <span className="check-mark" data-done={isDone}>
      <span aria-hidden="true">{isDone ? "✓" : ""}</span>
      <span className="hidden-text">{isDone ? t("check.done") : t("check.open")}</span>
    </span>
  );
}
