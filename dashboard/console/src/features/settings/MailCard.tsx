/** The mail server: invitations, forgotten passwords and alarms go out by it. */
import { Alert, Button, Card, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { MAIL_PATH, MailForm } from "@console/components/MailForm";

export function MailCard(): ReactElement {
  const { t } = useTranslation("settings");
  const toasts = useToasts();
  const answer = useGet(MAIL_PATH);
  const remove = useAct({
    run: () => call("delete", MAIL_PATH),
    refresh: [MAIL_PATH, "/sign-in"],
    done: t("saved"),
    ask: () => ({
      title: t("mailServer.remove"),
      text: t("mailServer.removeText"),
      action: t("delete"),
    }),
  });
  const held = answer.data;
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h4" mb="sm">
        {t("mailServer.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t("mailServer.help")}
      </Text>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {held !== undefined && held.waiting > 0 && (
        <Alert color="orange" mb="md">
          {t("mailServer.waiting", { waiting: held.waiting, reason: held.lastError })}
        </Alert>
      )}
      {held !== undefined && (
        <MailForm
          key={String(held.isSet)}
          held={held}
          submit={t("save")}
          onSaved={() => toasts.done(t("saved"))}
          others={
            held.isSet && (
              <Button variant="subtle" color="red" onClick={() => void remove.act()}>
                {t("mailServer.remove")}
              </Button>
            )
          }
        />
      )}
    </Card>
  );
}
