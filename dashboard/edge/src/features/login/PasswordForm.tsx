import { Button, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@edge/api/client";
import { setToken } from "@edge/api/session";

/** One's own password; every other session of that user ends. */
export function PasswordForm(): ReactElement {
  const { t } = useTranslation("login");
  const toasts = useToasts();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== next;
  const change = useChange(async () => {
    const body = { old_pass: old, new_pass: next };
    const { token } = await call<{ token: string }>("post", "/password", { body });
    setToken(token);
  }, ["/me"]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (next !== again) return;
    change.mutate(undefined, {
      onSuccess: () => {
        setOld("");
        setNext("");
        setAgain("");
        toasts.done(t("change.done"));
      },
    });
  };
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <PasswordField label={t("change.old")} value={old} onChange={setOld} />
        <PasswordField label={t("change.next")} isNew value={next} onChange={setNext} />
        <Text size="sm" c="dimmed">
          {t("change.rule")}
        </Text>
        <PasswordField
          label={t("change.again")}
          isNew
          error={differs ? t("change.differs") : undefined}
          value={again}
          onChange={setAgain}
        />
        <ErrorPanel error={change.error} />
        <Button type="submit" loading={change.isPending} disabled={differs}>
          {t("change.submit")}
        </Button>
      </Stack>
    </form>
  );
}
