import { Button, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { queryClient } from "@/api/hooks";
import { session, setSession } from "@/api/session";
import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { LoginFrame } from "@/components/LoginFrame";

import { signIn } from "./signIn";

/** Stands before everything else while the password is the one that came with the node. */
export function ChangePasswordPage(): ReactElement {
  const { t } = useTranslation("login");
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const differs = again !== "" && again !== next;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const username = session()?.username ?? "";
    if (next !== again) return;
    setBusy(true);
    setError(null);
    try {
      await call("post", "/users/{username}/change_pwd", {
        path: { username },
        body: { old_pwd: old, new_pwd: next },
      });
      // The token of before the change may no longer be good.
      const fresh = await signIn(username, next);
      queryClient.clear();
      setSession(fresh);
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return (
    <LoginFrame title={t("change.title")}>
      <Text size="sm" c="dimmed">
        {t("change.help")}
      </Text>
      <form onSubmit={(event) => void send(event)}>
        <Stack gap="md">
          <PasswordField label={t("change.old")} value={old} onChange={setOld} />
          <PasswordField
            label={t("change.next")}
            description={t("change.rule")}
            isNew
            value={next}
            onChange={setNext}
          />
          <PasswordField
            label={t("change.again")}
            isNew
            error={differs ? t("change.differs") : undefined}
            value={again}
            onChange={setAgain}
          />
          <ErrorPanel error={error} />
          <Button type="submit" loading={isBusy} disabled={differs} fullWidth>
            {t("change.submit")}
          </Button>
          <Button variant="subtle" onClick={() => setSession(null)} fullWidth>
            {t("change.leave")}
          </Button>
        </Stack>
      </form>
    </LoginFrame>
  );
}
