import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import { CheckMark } from "@console/components/CheckMark";

import { CHECKLIST } from "./paths";

interface ChecklistProps {
  values: Record<string, string>;
}

/** What has happened so far; each step comes by itself when it is done. */
export function Checklist({ values }: ChecklistProps): ReactElement {
  const { t } = useTranslation("register");
  const { data } = useGet(CHECKLIST, { path: values });
  return (
    <ul className="check-list" aria-label={t("progress")} aria-live="polite">
      {(data?.steps ?? []).map((step) => (
        <li key={step.id} data-done={step.done}>
          <CheckMark isDone={step.done} />
          <span>
            {step.text}
            {step.at && (
              <Text span size="xs" c="dimmed" ml="xs">
                {formatTime(step.at)}
              </Text>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
