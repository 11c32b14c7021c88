import { Alert, Button, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { LoginFrame } from "@/components/LoginFrame";
import { queryClient } from "@/lib/query";
import { call } from "@edge/api/client";
import { sessionEnded, setToken } from "@edge/api/session";

export function LoginPage(): ReactElement {
  const { t } = useTranslation("login");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const body = { name, pass: password };
      const { token } = await call<{ token: string }>("post", "/login", { body });
      // What somebody else was shown here before is none of their business.
      queryClient.clear();
      setToken(token);
    } catch (refusal) {
      setBusy(false);
      setError(refusal);
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
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordField label={t("password")} value={password} onChange={setPassword} />
          <ErrorPanel error={error} />
          <Button type="submit" loading={isBusy} fullWidth>
            {t("submit")}
          </Button>
        </Stack>
      </form>
    </LoginFrame>
  );
}
