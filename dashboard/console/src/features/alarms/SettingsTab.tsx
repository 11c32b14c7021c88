/** What holds for the alarms of the project: silence, storms, history, other programs, mail server. */
import { Button, Card, Group, NativeSelect, NumberInput, Stack, Switch, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { AlarmSettings } from "@console/api/shapes";
import { usePlace } from "@console/components/place";

import { CustomCard } from "./CustomCard";
import { MailFields, type MailDraft } from "./MailFields";
import { ALARMS, SETTINGS } from "./paths";
import { WindowsCard } from "./WindowsCard";

export function SettingsTab({ mayChange }: { mayChange: boolean }): ReactElement {
  const path = { ...usePlace() };
  const answer = useGet(SETTINGS, { path });
  return (
    <Stack gap="md">
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.data !== undefined && (
        <>
          <SettingsCard held={answer.data} mayChange={mayChange} />
          <CustomCard settings={answer.data} mayChange={mayChange} />
        </>
      )}
      <WindowsCard mayChange={mayChange} />
    </Stack>
  );
}

// As in the control plane's document.
const NUMBERS: readonly ["silenceMinutes" | "stormAlarms" | "stormSeconds" | "historyDays", number, number][] = [
  ["silenceMinutes", 0, 1440],
  ["stormAlarms", 2, 1000],
  ["stormSeconds", 10, 3600],
  ["historyDays", 1, 3650],
];
const SWITCHES = ["isEnabled", "onlyCritical", "tellsRecovery", "isCustomEnabled"] as const;

interface SettingsCardProps {
  held: AlarmSettings;
  mayChange: boolean;
}

function SettingsCard({ held, mayChange }: SettingsCardProps): ReactElement {
  const { t } = useTranslation("alarms");
  const toasts = useToasts();
  const path = { ...usePlace() };
  const [draft, setDraft] = useState(held);
  const [mail, setMail] = useState<MailDraft | null>(held.mail && { ...held.mail, password: "" });
  const save = useChange(() => call("put", SETTINGS, { path, body: bodyOf(draft, mail) }), [ALARMS]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: () => toasts.done(t("saved")) });
  };
  return (
    <Card withBorder padding="md">
      <form onSubmit={send}>
        <fieldset disabled={!mayChange} className="plain-fieldset">
          <Stack gap="md">
            {SWITCHES.map((name) => (
              <Switch
                key={name}
                label={t(`settings.${name}`)}
                description={t(`settings.${name}Help`)}
                checked={draft[name]}
                onChange={(event) => setDraft({ ...draft, [name]: event.currentTarget.checked })}
              />
            ))}
            <div className="form-grid">
              <NativeSelect
                label={t("settings.silenceObject")}
                data={["alarm", "instance"].map((value) => ({
                  value,
                  label: t(`settings.silenceObjects.${value}`),
                }))}
                value={draft.silenceObject}
                onChange={(event) =>
                  setDraft({
                    ...draft,
                    silenceObject: event.currentTarget.value as AlarmSettings["silenceObject"],
                  })
                }
              />
              {NUMBERS.map(([name, min, max]) => (
                <NumberInput
                  key={name}
                  label={t(`settings.${name}`)}
                  required
                  allowDecimal={false}
                  min={min}
                  max={max}
                  value={draft[name]}
                  onChange={(value) => setDraft({ ...draft, [name]: Number(value) })}
                />
              ))}
            </div>
            <Title order={2} size="h5">
              {t("mail.title")}
            </Title>
            <Text size="sm" c="dimmed">
              {t("mail.help")}
            </Text>
            <MailFields value={mail} isKept={held.mail?.isPasswordSet ?? false} onChange={setMail} />
            <ErrorPanel error={save.error} />
            {mayChange && (
              <Group justify="flex-end">
                <Button type="submit" loading={save.isPending}>
                  {t("save")}
                </Button>
              </Group>
            )}
          </Stack>
        </fieldset>
      </form>
    </Card>
  );
}

function bodyOf(draft: AlarmSettings, mail: MailDraft | null): object {
  const { isTokenSet: _set, stormAt: _storm, mail: _held, ...own } = draft;
  if (mail === null) return { ...own, mail: null };
  const { password, isPasswordSet: _password, ...rest } = mail;
  // Nothing typed: the one that is kept.
  return { ...own, mail: { ...rest, ...(password !== "" && { password }) } };
}
