/** How long somebody stays signed in, and what a password has to be. */
import { Button, Card, Group, NumberInput, Stack, Switch, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { UserManagement } from "@console/api/shapes";

const PATH = "/configuration/user-management";

// As in the control plane's document.
type Numbers = Exclude<keyof UserManagement, "isSecondFactorRequired">;

const BOUNDS: readonly [Numbers, number, number][] = [
  ["accessTokenMinutes", 1, 1440],
  ["refreshTokenDays", 1, 90],
  ["passwordLengthMin", 8, 64],
  ["passwordAgeDays", 0, 730],
  ["passwordHistory", 0, 10],
  ["invitationHours", 1, 168],
  ["resetMinutes", 5, 1440],
];

export function UserManagementCard(): ReactElement {
  const { t } = useTranslation("settings");
  const answer = useGet(PATH);
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h4" mb="sm">
        {t("users.title")}
      </Title>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.data !== undefined && <UserManagementForm held={answer.data} />}
    </Card>
  );
}

function UserManagementForm({ held }: { held: UserManagement }): ReactElement {
  const { t } = useTranslation("settings");
  const toasts = useToasts();
  const [draft, setDraft] = useState(held);
  const save = useChange(() => call("put", PATH, { body: draft }), [PATH, "/profile"]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: () => toasts.done(t("saved")) });
  };
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <div className="form-grid">
          {BOUNDS.map(([name, min, max]) => (
            <NumberInput
              key={name}
              label={t(`users.${name}`)}
              required
              allowDecimal={false}
              min={min}
              max={max}
              value={draft[name]}
              onChange={(value) => setDraft({ ...draft, [name]: Number(value) })}
            />
          ))}
        </div>
        <Switch
          label={t("users.isSecondFactorRequired")}
          description={t("users.isSecondFactorRequiredHelp")}
          checked={draft.isSecondFactorRequired}
          onChange={(event) =>
            setDraft({ ...draft, isSecondFactorRequired: event.currentTarget.checked })
          }
        />
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
