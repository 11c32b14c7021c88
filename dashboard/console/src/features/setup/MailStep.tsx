import { Button, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useGet } from "@console/api/hooks";
import { MAIL_PATH, MailForm } from "@console/components/MailForm";

import { leaveTheWizard } from "./steps";

/** Optional: without it invitations are links, and nobody can reset a forgotten password. */
export function MailStep(): ReactElement {
  const { t } = useTranslation("setup");
  const { data, error, refetch } = useGet(MAIL_PATH);
  return (
    <>
      <Text size="sm" c="dimmed">
        {t("mail.help")}
      </Text>
      <ErrorPanel error={error} onRetry={() => void refetch()} />
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <MailForm
          held={data}
          submit={t("mail.finish")}
          onSaved={leaveTheWizard}
          others={
            <Button variant="subtle" onClick={leaveTheWizard}>
              {t("mail.later")}
            </Button>
          }
        />
      )}
    </>
  );
}
