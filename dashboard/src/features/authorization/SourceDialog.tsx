import { Loader } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import type { Source } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { SchemaForm } from "@/components/SchemaForm";
import { isTree, type Tree } from "@/lib/changes";
import { initial, schemaAt, variantOf, type Schema } from "@/lib/schema";

interface SourceDialogProps {
  /** Null makes a new one. */
  source: Source | null;
  onClose: () => void;
}

export function SourceDialog({ source, onClose }: SourceDialogProps): ReactElement {
  const { t } = useTranslation("authorization");
  const schema = useGet("/schemas/configs");
  const [draft, setDraft] = useState<Tree | null>(null);
  const root = schema.data as Schema | undefined;
  const forms = root && withLongRules(schemaAt(root, "authorization.sources")?.items);
  const before: unknown = source ?? (forms && root ? initial(forms, root) : {});
  const shown = draft ?? before;
  const variant = forms?.oneOf?.[root ? variantOf(forms.oneOf, shown, root) : 0];
  const form = source === null ? forms : variant;
  const send = () =>
    source === null
      ? call("post", "/authorization/sources", { body: shown })
      : call("put", "/authorization/sources/{type}", { path: { type: source.type }, body: shown });
  return (
    <FormDialog
      title={source === null ? t("add") : t("editOne", { name: source.type })}
      submit={source === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={["/authorization", "/configs"]}
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

/** Rules of a file are many lines. */
function withLongRules(forms: Schema | undefined): Schema | undefined {
  if (forms?.oneOf === undefined) return forms;
  const oneOf = forms.oneOf.map((form) => {
    const rules = form.properties?.["rules"];
    if (rules === undefined) return form;
    return { ...form, properties: { ...form.properties, rules: { ...rules, format: "multiline" } } };
  });
  return { ...forms, oneOf };
}
