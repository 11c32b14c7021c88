import { Button, Card, Group, NativeSelect, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { switchLanguage, type Language } from "@/lib/texts";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { UserDetail } from "@console/api/shapes";

import { AccountsCard } from "./AccountsCard";
import { PasswordCard } from "./PasswordCard";
import { SecondFactorCard } from "./SecondFactorCard";
import { Sessions } from "./Sessions";

export default function ProfilePage(): ReactElement {
  const { t } = useTranslation("profile");
  const profile = useGet("/profile");
  return (
    <Page title={t("title")} help={profile.data?.email ?? ""}>
      {profile.isPending && <Loading />}
      <ErrorPanel error={profile.error} onRetry={() => void profile.refetch()} />
      <div className="two-columns">
        {profile.data !== undefined && <PersonCard key={profile.data.id} profile={profile.data} />}
        <PasswordCard />
        <SecondFactorCard />
        <AccountsCard />
      </div>
      <Title order={2} size="h4">
        {t("sessions.title")}
      </Title>
      <Sessions />
    </Page>
  );
}

function PersonCard({ profile }: { profile: UserDetail }): ReactElement {
  const { t } = useTranslation("profile");
  const toasts = useToasts();
  const [name, setName] = useState(profile.name);
  const [language, setLanguage] = useState<string>(profile.language);
  const save = useChange(async () => {
    await call("put", "/profile", { body: { name, language } });
    await switchLanguage(language as Language);
  }, ["/"]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: () => toasts.done(t("saved")) });
  };
  return (
    <Card withBorder padding="md">
      <form onSubmit={send}>
        <Stack gap="sm">
          <Title order={2} size="h4">
            {t("person")}
          </Title>
          <TextInput
            label={t("personName")}
            autoComplete="name"
            maxLength={64}
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NativeSelect
            label={t("language")}
            data={[
              { value: "zh", label: "中文" },
              { value: "en", label: "English" },
            ]}
            value={language}
            onChange={(event) => setLanguage(event.currentTarget.value)}
          />
          {profile.provenAt === null && <Text size="sm">{t("unproven")}</Text>}
          <ErrorPanel error={save.error} />
          <Group justify="flex-end">
            <Button type="submit" loading={save.isPending}>
              {t("save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
