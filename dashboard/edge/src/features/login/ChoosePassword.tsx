import { Button, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { LoginFrame } from "@/components/LoginFrame";
import { setToken } from "@edge/api/session";

import { PasswordForm } from "./PasswordForm";

/** The way on for who signed in with a password that somebody else knows. */
export function ChoosePassword(): ReactElement {
  const { t } = useTranslation("login");
  return (
    <LoginFrame title={t("change.title")}>
      <Text size="sm">{t("change.help")}</Text>
      <PasswordForm />
      <Button variant="subtle" onClick={() => setToken(null)}>
        {t("change.leave")}
      </Button>
    </LoginFrame>
  );
}
