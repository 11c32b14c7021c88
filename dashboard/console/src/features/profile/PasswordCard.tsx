import { Button, Card, Group, Stack, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { NewPassword } from "@console/components/NewPassword";
import { isGood } from "@console/lib/password";

const EMPTY = { password: "", again: "" };

/** One's own password; other sessions end with the old one. */
export function PasswordCard(): ReactElement {
  const { t } = useTranslation("profile");
  const toasts = useToasts();
  const [old, setOld] = useState("");
  const [secret, setSecret] = useState(EMPTY);
  const isReady = isGood(secret.password) && secret.again === secret.password;
  const change = useChange(
    () =>
      call("put", "/profile/password", {
        body: { oldPassword: old, newPassword: secret.password },
      }),
    ["/profile"],
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(undefined, {
      onSuccess: () => {
        setOld("");
        setSecret(EMPTY);
        toasts.done(t("password.changed"));
      },
    });
  };
  return (
    <Card withBorder padding="md">
      <form onSubmit={send}>
        <Stack gap="sm">
          <Title order={2} size="h4">
            {t("password.title")}
          </Title>
          <PasswordField label={t("password.old")} value={old} onChange={setOld} />
          <NewPassword label={t("password.next")} value={secret} onChange={setSecret} />
          <ErrorPanel error={change.error} />
          <Group justify="flex-end">
            <Button type="submit" disabled={!isReady} loading={change.isPending}>
              {t("password.submit")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
