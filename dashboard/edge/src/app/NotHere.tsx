import { Anchor } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { Page } from "@/components/Page";

export function NotHere(): ReactElement {
  const { t } = useTranslation("shell");
  return (
    <Page title={t("notHere.title")}>
      <EmptyState title={t("notHere.title")} text={t("notHere.text")} />
      <Anchor component={Link} to="/" ta="center">
        {t("notHere.home")}
      </Anchor>
    </Page>
  );
}
