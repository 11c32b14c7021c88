import { Alert, Button, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { sessionEnded, setSession } from "@/api/session";
import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { LoginFrame } from "@/components/LoginFrame";

import { signIn, useSignInCode } from "./signIn";

export function LoginPage(): ReactElement {
  const { t } = useTranslation("login");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const code = useSignInCode(setError);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      setSession(await signIn(username, password));
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return (
    <LoginFrame title={t("title")}>
      <form onSubmit={(event) => void send(event)}>
        <Stack gap="md">
          {sessionEnded() && error === null && <Alert color="orange">{t("ended")}</Alert>}
          <TextInput
            label={t("username")}
            autoComplete="username"
            required
            value={username}
            onChange={(event) => setUsername(event.currentTarget.value)}
          />
          <PasswordField label={t("password")} value={password} onChange={setPassword} />
          <ErrorPanel error={error} />
          <Button type="submit" loading={isBusy || code.isBusy} fullWidth>
            {t("submit")}
          </Button>
        </Stack>
      </form>
    </LoginFrame>
  );
}
