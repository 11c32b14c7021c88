import { Alert } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { formatDuration } from "@/lib/format";
import type { PushTest } from "@console/api/shapes";

interface TestResultProps {
  result: PushTest;
  onClose: () => void;
}

export function TestResult({ result, onClose }: TestResultProps): ReactElement {
  const { t, i18n } = useTranslation("alarms");
  const time = formatDuration(result.durationMs, i18n.language);
  return (
    <Dialog title={t("channel.result.title")} onClose={onClose}>
      <Alert color={result.isSent ? "teal" : "red"}>
        {result.isSent
          ? t("channel.result.sent", { time })
          : t("channel.result.failed", { reason: result.reason })}
      </Alert>
    </Dialog>
  );
}
