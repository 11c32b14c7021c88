import { Alert, Card, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { useToasts } from "@/components/toasts";
import { useGet } from "@console/api/hooks";
import { AddressForm } from "@console/components/AddressForm";

import { EnrolmentCard } from "./EnrolmentCard";
import { LogReceiverCard } from "./LogReceiverCard";
import { MailCard } from "./MailCard";
import { OidcCard } from "./OidcCard";
import { RelayCard } from "./RelayCard";
import { UserManagementCard } from "./UserManagementCard";

export default function SettingsPage(): ReactElement {
  const { t } = useTranslation("settings");
  const toasts = useToasts();
  const address = useGet("/configuration/server-access-name");
  return (
    <Page title={t("title")} help={t("help")}>
      <Card withBorder padding="md">
        <Title order={2} size="h4" mb="sm">
          {t("access.title")}
        </Title>
        {address.isPending && <Loading />}
        <ErrorPanel error={address.error} onRetry={() => void address.refetch()} />
        {address.data !== undefined && address.data.certificateProblem !== "" && (
          <Alert color="orange" mb="md">
            {address.data.certificateProblem}
          </Alert>
        )}
        {address.data !== undefined && (
          <AddressForm
            initial={address.data.url}
            submit={t("save")}
            onSaved={() => toasts.done(t("saved"))}
          />
        )}
      </Card>
      <MailCard />
      <OidcCard />
      <UserManagementCard />
      <LogReceiverCard />
      <RelayCard />
      <EnrolmentCard />
    </Page>
  );
}
