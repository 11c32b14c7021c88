import { Loader, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { SchemaForm } from "@/components/SchemaForm";
import { isTree } from "@/lib/changes";
import type { Schema } from "@/lib/schema";

/** A plugin's settings, drawn from the schema that it brings. */
export function PluginDialog({ name, onClose }: { name: string; onClose: () => void }): ReactElement {
  const { t } = useTranslation("plugins");
  const path = { name };
  const schema = useGet("/plugins/{name}/schema", { path });
  const held = useGet("/plugins/{name}/config", { path });
  const [draft, setDraft] = useState<unknown>(undefined);
  const failure = schema.error ?? held.error;
  const form = isTree(schema.data) ? (schema.data as Schema) : undefined;
  const hasFields = Object.keys(form?.properties ?? {}).length > 0;
  return (
    <FormDialog
      title={t("settingsOf", { name })}
      submit={t("save")}
      done={t("saved")}
      refresh={["/plugins"]}
      size="lg"
      onSubmit={() => call("put", "/plugins/{name}/config", { path, body: draft ?? held.data })}
      onClose={onClose}
    >
      <ErrorPanel error={failure} />
      {failure === null && (form === undefined || held.data === undefined) && (
        <Loader aria-label={t("loading")} />
      )}
      {form !== undefined && !hasFields && (
        <EmptyState title={t("noSettings.title")} text={t("noSettings.text")} />
      )}
      {form !== undefined && hasFields && held.data !== undefined && (
        <>
          <Text size="sm" c="dimmed">
            {t("settingsHelp")}
          </Text>
          <SchemaForm schema={form} value={draft ?? held.data} onChange={setDraft} />
        </>
      )}
    </FormDialog>
  );
}
