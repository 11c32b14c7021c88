import { Alert, Button, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { LoginFrame } from "@/components/LoginFrame";
import { queryClient } from "@/lib/query";
import { sessionEnded, setSession } from "@console/api/session";
import { signIn } from "@console/api/signIn";

export function LoginPage(): ReactElement {
  const { t } = useTranslation("login");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const session = await signIn(email, password);
      // What somebody else was shown here before is none of their business.
      queryClient.clear();
      setSession(session);
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
            label={t("email")}
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordField label={t("password.label")} value={password} onChange={setPassword} />
          <ErrorPanel error={error} />
          <Button type="submit" loading={isBusy} fullWidth>
            {t("submit")}
          </Button>
        </Stack>
      </form>
    </LoginFrame>
  );
}
