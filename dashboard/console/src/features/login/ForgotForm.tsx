import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { LoginFrame } from "@/components/LoginFrame";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";

/** Asks for a link by mail; what is said is the same whether the address is anybody's or not. */
export function ForgotForm({ onBack }: { onBack: () => void }): ReactElement {
  const { t } = useTranslation("login");
  const [email, setEmail] = useState("");
  const ask = useChange(() => call("post", "/password-reset", { body: { email } }), []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate(undefined);
  };
  return (
    <LoginFrame title={t("forgot.title")}>
      <form onSubmit={send}>
        <Stack gap="md">
          <Text size="sm">{t("forgot.help")}</Text>
          <TextInput
            label={t("email")}
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          {ask.isSuccess && (
            <Alert color="teal" role="status">
              {t("forgot.sent")}
            </Alert>
          )}
          <ErrorPanel error={ask.error} />
          <Button type="submit" loading={ask.isPending} fullWidth>
            {t("forgot.submit")}
          </Button>
          <Button variant="subtle" onClick={onBack} fullWidth>
            {t("forgot.back")}
          </Button>
        </Stack>
      </form>
    </LoginFrame>
  );
}
