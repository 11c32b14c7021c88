import { Button, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { call } from "@console/api/client";
import { setSession } from "@console/api/session";
import { signIn } from "@console/api/signIn";
import { NewPassword } from "@console/components/NewPassword";
import { isGood } from "@console/lib/password";

import { setUnderWay } from "./steps";

export function AdministratorStep({ needsCode }: { needsCode: boolean }): ReactElement {
  const { t, i18n } = useTranslation("setup");
  const [code, setCode] = useState("");
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [secret, setSecret] = useState({ password: "", again: "" });
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const isReady = isGood(secret.password) && secret.again === secret.password;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    setBusy(true);
    setError(null);
    const { password } = secret;
    const accessAddress = window.location.origin;
    const body = { email, name, password, accessAddress, language: i18n.language };
    try {
      await call("post", "/setup", { body: needsCode ? { ...body, code: code.trim() } : body });
      const session = await signIn(email, password);
      setUnderWay("address");
      setSession(session);
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {t("admin.help")}
        </Text>
        {needsCode && (
          <TextInput
            label={t("admin.code")}
            description={t("admin.codeHelp")}
            required
            autoComplete="off"
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
        )}
        <TextInput
          label={t("email")}
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <TextInput
          label={t("personName")}
          autoComplete="name"
          required
          maxLength={64}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NewPassword label={t("password.label")} value={secret} onChange={setSecret} />
        <ErrorPanel error={error} />
        <Button type="submit" loading={isBusy} disabled={!isReady} fullWidth>
          {t("next")}
        </Button>
      </Stack>
    </form>
  );
}
