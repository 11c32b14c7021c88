/** How every failure is shown: what happened, the node's code for it, and what to do. */
import { Alert, Button, Code, Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/lib/apiError";

/** What to do about an error, by its code, otherwise by its HTTP status. */
export function useAdvice(): (error: ApiError) => string {
  const { t, i18n } = useTranslation("errors");
  return (error) => {
    const byCode = `advice.${error.code}`;
    if (i18n.exists(byCode, { ns: "errors" })) return t(byCode);
    const byStatus = `status.${error.status}`;
    return i18n.exists(byStatus, { ns: "errors" }) ? t(byStatus) : t("status.other");
  };
}

interface ErrorPanelProps {
  error: unknown;
  onRetry?: () => void;
}

export function ErrorPanel({ error, onRetry }: ErrorPanelProps): ReactElement | null {
  const { t } = useTranslation("errors");
  const advice = useAdvice();
  if (error === null || error === undefined) return null;
  const shown = ApiError.from(error);
  return (
    <Alert color="red" title={t("title")} role="alert">
      <Text size="sm" className="wrap">
        <Code>{shown.code}</Code> {shown.message}
      </Text>
      <Text size="sm" mt="xs">
        {advice(shown)}
      </Text>
      {onRetry !== undefined && (
        <Group mt="sm">
          <Button size="xs" variant="default" onClick={onRetry}>
            {t("retry")}
          </Button>
        </Group>
      )}
    </Alert>
  );
}
