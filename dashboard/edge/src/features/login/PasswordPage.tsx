import { Card } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "@/components/Page";

import { PasswordForm } from "./PasswordForm";

export default function PasswordPage(): ReactElement {
  const { t } = useTranslation("login");
  return (
    <Page title={t("change.own")}>
      <Card withBorder padding="md" maw={480}>
        <PasswordForm />
      </Card>
    </Page>
  );
}
