import { Anchor } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";

/** A page that broke says so instead of leaving a blank. */
export function PageFailure(): ReactElement {
  const error = useRouteError();
  return <ErrorPanel error={error} onRetry={() => window.location.reload()} />;
}

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
