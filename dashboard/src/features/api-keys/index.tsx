import { Button, Code, Group, Stack, Text } from "@mantine/core";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { ApiKey } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { copyShown } from "@/lib/copy";
import { formatTime } from "@/lib/format";

import { KeyDialog } from "./KeyDialog";

function stateOf(row: ApiKey): string {
  if (row.expired === true) return "expired";
  return row.enable === false ? "disabled" : "enabled";
}

export default function ApiKeysPage(): ReactElement {
  const { t } = useTranslation("apiKeys");
  const mayChange = useMayChange();
  const [edited, setEdited] = useState<ApiKey | "new" | null>(null);
  const [made, setMade] = useState<ApiKey | null>(null);
  const remove = useAct<string>({
    run: (name) => call("delete", "/api_key/{name}", { path: { name } }),
    refresh: ["/api_key"],
    done: t("deleted"),
    ask: (name) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const expiry = (row: ApiKey) =>
    row.expired_at === undefined || row.expired_at === "infinity"
      ? t("never")
      : formatTime(row.expired_at);
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>}
    >
      <DataTable<ApiKey>
        label={t("title")}
        path="/api_key"
        filters={[{ name: "find", label: t("find") }]}
        columns={[
          { key: "name", label: t("field.name") },
          { key: "api_key", label: t("key") },
          { key: "role", label: t("field.role"), render: (row) => t(`role.${row.role ?? "viewer"}`) },
          {
            key: "enable",
            label: t("field.state"),
            render: (row) => <StatusBadge state={stateOf(row)} />,
          },
          { key: "expired_at", label: t("expires"), render: expiry },
          {
            key: "created_at",
            label: t("field.createdAt"),
            render: (row) => formatTime(row.created_at),
          },
          { key: "desc", label: t("field.description") },
        ]}
        rowKey={(row) => row.name}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: ApiKey) => (
            <EditDelete
              name={row.name}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row.name)}
            />
          ),
        })}
      />
      {edited !== null && (
        <KeyDialog
          apiKey={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
          onMade={setMade}
        />
      )}
      {made !== null && <SecretDialog apiKey={made} onClose={() => setMade(null)} />}
    </Page>
  );
}

/** The only time that the secret is shown. */
function SecretDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }): ReactElement {
  const { t } = useTranslation("apiKeys");
  const shown = useRef<HTMLElement>(null);
  const [isCopied, setCopied] = useState(false);
  const pair = `${apiKey.api_key ?? ""}:${apiKey.api_secret ?? ""}`;
  return (
    <Dialog
      onClose={onClose}
      title={t("secret.title")}
    >
      <Stack gap="sm">
        <Text size="sm">{t("secret.text")}</Text>
        <Code block className="wrap" ref={shown}>
          {pair}
        </Code>
        <Group justify="flex-end">
          <Button
            variant="default"
            onClick={() => shown.current && void copyShown(shown.current).then(setCopied)}
          >
            {isCopied ? t("secret.copied") : t("secret.copy")}
          </Button>
          <Button onClick={onClose}>{t("secret.close")}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
