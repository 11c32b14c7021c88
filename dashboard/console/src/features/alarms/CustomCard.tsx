/** Where other programs raise alarms, and with what. */
import { Button, Card, Code, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import type { AlarmSettings } from "@console/api/shapes";
import { usePlace } from "@console/components/place";
import { SecretDialog } from "@console/components/SecretDialog";

import { ALARMS, SETTINGS } from "./paths";

const TOKEN = `${ALARMS}/token`;

interface CustomCardProps {
  settings: AlarmSettings;
  mayChange: boolean;
}

export function CustomCard({ settings, mayChange }: CustomCardProps): ReactElement {
  const { t } = useTranslation("alarms");
  const place = usePlace();
  const path = { ...place };
  const [made, setMade] = useState<string | null>(null);
  const url = `${window.location.origin}/api/orgs/${place.org}/projects/${place.project}/alarms/webhook`;
  const make = useAct({
    run: async () => setMade((await call<{ token: string }>("post", TOKEN, { path })).token),
    refresh: [SETTINGS],
    done: t("saved"),
    ...(settings.isTokenSet && {
      ask: () => ({
        title: t("custom.again.title"),
        text: t("custom.again.text"),
        action: t("custom.make"),
      }),
    }),
  });
  const revoke = useAct({
    run: () => call("delete", TOKEN, { path }),
    refresh: [SETTINGS],
    done: t("saved"),
  });
  return (
    <Card withBorder padding="md">
      <Stack gap="sm">
        <Title order={2} size="h5">
          {t("custom.title")}
        </Title>
        <Text size="sm" c="dimmed">
          {t("custom.help")}
        </Text>
        <Code block className="wrap">
          {`curl -X POST ${url} \\
  -H 'X-Rookery-Alarm-Token: …' -H 'Content-Type: application/json' \\
  -d '{"message": "…", "timestamp": "'$(date +%s)'", "severity": 1}'`}
        </Code>
        {mayChange && (
          <Group>
            <Button variant="default" loading={make.isBusy} onClick={() => void make.act(undefined)}>
              {t(settings.isTokenSet ? "custom.remake" : "custom.make")}
            </Button>
            {settings.isTokenSet && (
              <Button variant="light" color="red" onClick={() => void revoke.act(undefined)}>
                {t("custom.revoke")}
              </Button>
            )}
          </Group>
        )}
      </Stack>
      {made !== null && (
        <SecretDialog
          title={t("custom.secret.title")}
          text={t("custom.secret.text")}
          secret={made}
          onClose={() => setMade(null)}
        />
      )}
    </Card>
  );
}
