/** Whether agents of edge services may enrol, and as whom. */
import { Alert, Button, Card, Group, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { Enrolment } from "@console/api/shapes";

const PATH = "/configuration/agent-enrolment";

export function EnrolmentCard(): ReactElement {
  const { t } = useTranslation("settings");
  const answer = useGet(PATH);
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h4" mb="sm">
        {t("enrolment.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t("enrolment.help")}
      </Text>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.data !== undefined && <EnrolmentForm held={answer.data} />}
    </Card>
  );
}

function EnrolmentForm({ held }: { held: Enrolment }): ReactElement {
  const { t } = useTranslation("settings");
  const toasts = useToasts();
  const [isOpen, setOpen] = useState(held.isOpen);
  const [username, setUsername] = useState(held.username);
  const [password, setPassword] = useState("");
  const save = useChange(
    () =>
      call("put", PATH, {
        body: { isOpen, username: username.trim(), ...(password !== "" && { password }) },
      }),
    [PATH, "/edgeagents"],
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, {
      onSuccess: () => {
        toasts.done(t("saved"));
        setPassword("");
      },
    });
  };
  return (
    <form onSubmit={send}>
      <Stack gap="sm" maw={560}>
        {held.isOpen && held.isDefaultPassword && (
          <Alert color="orange">{t("enrolment.default")}</Alert>
        )}
        <Switch
          label={t("enrolment.isOpen")}
          description={t("enrolment.isOpenHelp")}
          checked={isOpen}
          onChange={(event) => setOpen(event.currentTarget.checked)}
        />
        <TextInput
          label={t("enrolment.username")}
          required
          autoComplete="off"
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordField
          label={t("enrolment.password")}
          description={t("enrolment.passwordKept")}
          isNew
          isRequired={false}
          value={password}
          onChange={setPassword}
        />
        <ErrorPanel error={save.error} />
        <Group>
          <Button type="submit" loading={save.isPending}>
            {t("save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
