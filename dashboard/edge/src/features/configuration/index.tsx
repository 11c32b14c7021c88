import { Button, Card, Checkbox, FileButton, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useConfirm } from "@/components/confirm";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { useToasts } from "@/components/toasts";
import { ApiError } from "@/lib/apiError";
import { useChange } from "@/lib/query";
import { call, download } from "@edge/api/client";
import { useMe } from "@edge/api/me";

/** The configuration as a file, out and in. */
export default function ConfigurationPage(): ReactElement {
  const { t } = useTranslation("configuration");
  const { isAdmin } = useMe();
  return (
    <Page title={t("title")} help={t("help")}>
      <Export isAdmin={isAdmin} />
      {isAdmin && <Import />}
    </Page>
  );
}

function Export({ isAdmin }: { isAdmin: boolean }): ReactElement {
  const { t } = useTranslation("configuration");
  const toasts = useToasts();
  const [withSecrets, setSecrets] = useState(false);
  const save = (path: string, name: string) =>
    void download(path, name, { query: { secrets: withSecrets } }).catch(toasts.failed);
  return (
    <Card withBorder padding="md">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t("export.title")}
        </Title>
        <Text size="sm">{t("export.help")}</Text>
        {isAdmin && (
          <Checkbox
            label={t("export.secrets")}
            description={t("export.secretsHelp")}
            checked={withSecrets}
            onChange={(event) => setSecrets(event.currentTarget.checked)}
          />
        )}
        <Group>
          <Button onClick={() => save("/neuron/global/config", "edge.json")}>{t("export.all")}</Button>
          <Button variant="default" onClick={() => save("/neuron/global/drivers", "drivers.json")}>
            {t("export.drivers")}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

function Import(): ReactElement {
  const { t } = useTranslation("configuration");
  const confirm = useConfirm();
  const toasts = useToasts();
  const send = useChange(async ({ path, file }: { path: string; file: File }) => {
    await call("put", path, { body: await parsed(file) });
  }, ["/neuron/"]);
  const take = async (kind: "all" | "drivers", file: File | null) => {
    if (file === null) return;
    const question = {
      title: t(`import.${kind}`),
      text: t(`import.${kind}Text`, { name: file.name }),
      action: t("import.action"),
    };
    if (!(await confirm(question))) return;
    const path = kind === "all" ? "/neuron/global/config" : "/neuron/global/drivers";
    send.mutate({ path, file }, { onSuccess: () => toasts.done(t("import.done")) });
  };
  return (
    <Card withBorder padding="md">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t("import.title")}
        </Title>
        <Text size="sm">{t("import.help")}</Text>
        <ErrorPanel error={send.error} />
        <Group>
          {(["all", "drivers"] as const).map((kind) => (
            <FileButton key={kind} accept=".json" onChange={(file) => void take(kind, file)}>
              {(props) => (
                <Button {...props} variant="default" loading={send.isPending}>
                  {t(`import.${kind}`)}
                </Button>
              )}
            </FileButton>
          ))}
        </Group>
      </Stack>
    </Card>
  );
}

async function parsed(file: File): Promise<unknown> {
  const text = await file.text();
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ApiError(-1, "NOT_JSON", error instanceof Error ? error.message : String(error));
  }
}
