/** What all clusters share; a system administrator sets it. */
import { Button, Card, Group, NumberInput, Stack, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { PoolSettings } from "@console/api/shapes";

import { POOL, QUOTA, SETTINGS } from "./words";

export function PoolCard(): ReactElement {
  const { t } = useTranslation("quota");
  const answer = useGet(SETTINGS);
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h4" mb="sm">
        {t("settings")}
      </Title>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.data !== undefined && <PoolForm held={answer.data} />}
    </Card>
  );
}

const NUMBERS = ["total", "perCluster", "initial"] as const;

function PoolForm({ held }: { held: PoolSettings }): ReactElement {
  const { t } = useTranslation("quota");
  const toasts = useToasts();
  const [draft, setDraft] = useState(held);
  const save = useChange(() => call("put", SETTINGS, { body: draft }), [SETTINGS, POOL, QUOTA]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: () => toasts.done(t("saved")) });
  };
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <div className="form-grid">
          {NUMBERS.map((name) => (
            <NumberInput
              key={name}
              label={t(`setting.${name}`)}
              description={t(`settingHelp.${name}`)}
              min={name === "total" ? 0 : 1}
              allowDecimal={false}
              value={draft[name] ?? ""}
              onChange={(value) =>
                setDraft({ ...draft, [name]: value === "" ? null : Number(value) })
              }
            />
          ))}
          <TextInput
            label={t("setting.name")}
            description={t("settingHelp.name")}
            required
            maxLength={64}
            value={draft.name}
            onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
          />
        </div>
        <ErrorPanel error={save.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            {t("save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
