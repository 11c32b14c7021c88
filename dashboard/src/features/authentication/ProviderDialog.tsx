import { Loader } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import type { Provider } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { SchemaForm } from "@/components/SchemaForm";
import { isTree, type Tree } from "@/lib/changes";
import { initial, schemaAt, variantOf, type Schema } from "@/lib/schema";

interface ProviderDialogProps {
  /** Null makes a new one. */
  provider: Provider | null;
  onClose: () => void;
}

export function ProviderDialog({ provider, onClose }: ProviderDialogProps): ReactElement {
  const { t } = useTranslation("authentication");
  const schema = useGet("/schemas/configs");
  const [draft, setDraft] = useState<Tree | null>(null);
  const root = schema.data as Schema | undefined;
  const forms = root === undefined ? undefined : schemaAt(root, "authentication")?.items;
  const { id, ...held } = provider ?? {};
  const before: unknown =
    provider === null ? (forms && root ? initial(forms, root) : {}) : (held as Tree);
  const shown = draft ?? before;
  // What exists keeps its kind; a new one may be any.
  const variant = forms?.oneOf?.[root ? variantOf(forms.oneOf, shown, root) : 0];
  const form = provider === null ? forms : variant;
  const send = () =>
    provider === null
      ? call("post", "/authentication", { body: shown })
      : call("put", "/authentication/{id}", { path: { id: id ?? "" }, body: shown });
  return (
    <FormDialog
      title={provider === null ? t("add") : t("editOne", { name: id })}
      submit={provider === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={["/authentication", "/configs"]}
      size="lg"
      onSubmit={send}
      onClose={onClose}
    >
      <ErrorPanel error={schema.error} />
      {schema.isPending && <Loader aria-label={t("loading")} />}
      {form !== undefined && root !== undefined && (
        <SchemaForm
          schema={form}
          root={root}
          value={shown}
          onChange={(next) => setDraft(isTree(next) ? next : {})}
        />
      )}
    </FormDialog>
  );
}
