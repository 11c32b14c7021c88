import { Anchor, Alert, Button, Divider, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { LoginFrame } from "@/components/LoginFrame";
import { ApiError } from "@/lib/apiError";
import { queryClient } from "@/lib/query";
import { useGet } from "@console/api/hooks";
import { sessionEnded, setSession } from "@console/api/session";
import { signIn } from "@console/api/signIn";

import { ElsewhereButton } from "./ElsewhereButton";
import { ForgotForm } from "./ForgotForm";

export function LoginPage(): ReactElement {
  const { t } = useTranslation("login");
  const [isForgotten, setForgotten] = useState(false);
  const ways = useGet("/sign-in").data;
  if (isForgotten) return <ForgotForm onBack={() => setForgotten(false)} />;
  return (
    <LoginFrame title={t("title")}>
      <PasswordForm />
      {ways?.canResetPassword === true && (
        <Anchor component="button" type="button" size="sm" onClick={() => setForgotten(true)}>
          {t("forgot.link")}
        </Anchor>
      )}
      {ways !== undefined && ways.provider !== "" && (
        <>
          <Divider label={t("or")} />
          <ElsewhereButton name={ways.provider} address={ways.accessAddress} />
        </>
      )}
    </LoginFrame>
  );
}

function PasswordForm(): ReactElement {
  const { t } = useTranslation("login");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  // Null until the control plane asks for one.
  const [code, setCode] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const session = await signIn(email, password, code);
      // What somebody else was shown here before is none of their business.
      queryClient.clear();
      setSession(session);
    } catch (refusal) {
      setBusy(false);
      if (refusal instanceof ApiError && refusal.code === "SECOND_FACTOR_REQUIRED") setCode("");
      else setError(refusal);
    }
  };
  const change = (set: (value: string) => void) => (value: string) => {
    setCode(null);
    set(value);
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <Stack gap="md">
        {sessionEnded() && error === null && <Alert color="orange">{t("ended")}</Alert>}
        <TextInput
          label={t("email")}
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => change(setEmail)(event.currentTarget.value)}
        />
        <PasswordField
          label={t("password.label")}
          value={password}
          onChange={change(setPassword)}
        />
        {code !== null && (
          <TextInput
            label={t("code.label")}
            description={t("code.help")}
            autoComplete="one-time-code"
            data-autofocus
            autoFocus
            required
            maxLength={32}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
        )}
        <ErrorPanel error={error} />
        <Button type="submit" loading={isBusy} fullWidth>
          {t("submit")}
        </Button>
      </Stack>
    </form>
  );
}
