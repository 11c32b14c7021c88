import { Loader, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { resetSetting } from "@/api/settings";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { SchemaForm } from "@/components/SchemaForm";
import { changedPart, emptiedPaths, isTree, type Tree } from "@/lib/changes";
import { schemaAt, type Schema } from "@/lib/schema";

const KINDS = ["tcp", "ssl", "ws", "wss"] as const;

interface ListenerDialogProps {
  /** Null makes a new one. */
  id: string | null;
  onClose: () => void;
}

function formOf(schema: unknown, kind: string): Schema | undefined {
  const entries = schemaAt(schema as Schema | undefined, `listeners.${kind}`)?.additionalProperties;
  return isTree(entries) ? (entries as Schema) : undefined;
}

export function ListenerDialog({ id, onClose }: ListenerDialogProps): ReactElement {
  const { t } = useTranslation("listeners");
  const schema = useGet("/schemas/configs");
  const held = useGet("/listeners/{id}", { path: { id: id ?? "" }, enabled: id !== null });
  const [kind, setKind] = useState<string>(id?.split(":")[0] ?? "tcp");
  const [name, setName] = useState(id?.split(":")[1] ?? "");
  const [draft, setDraft] = useState<Tree | null>(null);
  const form = formOf(schema.data, kind);
  const before: Tree = id === null ? {} : (held.data ?? {});
  const shown = draft ?? before;
  const send = async () => {
    if (id === null) return call("post", "/listeners", { body: { ...shown, type: kind, name } });
    const changes = changedPart(before, shown);
    await call("put", "/listeners/{id}", { path: { id }, body: { type: kind, name, ...changes } });
    // What is not named stays: an emptied field has to be taken back by its name.
    const place = `listeners.${kind}.${name}`;
    for (const path of emptiedPaths(before, shown, place)) await resetSetting(path);
  };
  const failure = schema.error ?? held.error;
  const isReady = form !== undefined && (id === null || held.data !== undefined);
  return (
    <FormDialog
      title={id === null ? t("add") : t("editOne", { name: id })}
      submit={id === null ? t("create") : t("save")}
      done={t("done")}
      refresh={["/listeners", "/configs"]}
      size="lg"
      onSubmit={send}
      onClose={onClose}
    >
      <ErrorPanel error={failure} />
      {id === null && (
        <>
          <Select
            label={t("field.type")}
            data={KINDS.map((each) => ({ value: each, label: t(`kind.${each}`) }))}
            value={kind}
            allowDeselect={false}
            onChange={(value) => {
              setKind(value ?? "tcp");
              setDraft(null);
            }}
          />
          <TextInput
            label={t("field.name")}
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        </>
      )}
      {isReady ? (
        <SchemaForm
          schema={form}
          root={schema.data as Schema}
          value={shown}
          onChange={(next) => setDraft(isTree(next) ? next : {})}
        />
      ) : (
        failure === null && <Loader aria-label={t("loading")} />
      )}
    </FormDialog>
  );
}
