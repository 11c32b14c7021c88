/** Accounts elsewhere that one signs in with, and how to be without them. */
import { Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";

const PATH = "/profile/accounts";

export function AccountsCard(): ReactElement {
  const { t } = useTranslation("profile");
  const answer = useGet(PATH);
  const unbind = useAct<null>({
    run: () => call("delete", PATH),
    refresh: [PATH],
    done: t("saved"),
    ask: () => ({
      title: t("accounts.unbind"),
      text: t("accounts.unbindText"),
      action: t("accounts.unbind"),
    }),
  });
  const accounts = answer.data?.items ?? [];
  return (
    <Card withBorder padding="md">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t("accounts.title")}
        </Title>
        {answer.isPending && <Loading />}
        <ErrorPanel error={answer.error} />
        {answer.data !== undefined && accounts.length === 0 && (
          <Text size="sm">{t("accounts.none")}</Text>
        )}
        {accounts.map(({ issuer, subject, createdAt }) => (
          <Text key={`${issuer} ${subject}`} size="sm" className="wrap">
            {t("accounts.since", { issuer, since: formatTime(createdAt) })}
          </Text>
        ))}
        {accounts.length > 0 && (
          <Group justify="flex-end">
            <Button variant="default" color="red" onClick={() => void unbind.act(null)}>
              {t("accounts.unbind")}
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}
