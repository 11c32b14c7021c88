/** Makes or changes an action or a source. */
import { Button, Group, Loader, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import type { BridgeRow } from "@/api/shapes";
import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";

import { ConnectorDialog } from "./ConnectorDialog";
import { idOf, nameIn, REFRESH, type BridgeKind } from "./kinds";
import { NameField } from "./NameField";
import { Probe } from "./Probe";
import { SettingsFields } from "./SettingsFields";
import { TypeGallery } from "./TypeGallery";
import { useDraft } from "./useDraft";
import { useTypes, type TypeEntry } from "./useTypes";

interface BridgeDialogProps {
  kind: BridgeKind;
  /** Null makes a new one. */
  row: BridgeRow | null;
  /** The connector of a new one; otherwise it is chosen. */
  through?: { type: string; name: string };
  onMade?: (id: string) => void;
  onClose: () => void;
}

export function BridgeDialog(props: BridgeDialogProps): ReactElement {
  const { t } = useTranslation("integration");
  const known = useTypes();
  const [chosen, setChosen] = useState(props.row?.type ?? props.through?.type);
  const type = known.types.find((entry) => entry.type === chosen);
  if (type !== undefined) return <BridgeForm {...props} type={type} />;
  return (
    <Dialog title={t(`${props.kind}.add`)} size="xl" onClose={props.onClose}>
      <ErrorPanel error={known.error} />
      {known.isPending && <Loader aria-label={t("loading")} />}
      <TypeGallery
        types={known.types.filter((entry) => entry.schemas[props.kind] !== undefined)}
        onChoose={setChosen}
      />
    </Dialog>
  );
}

function BridgeForm(props: BridgeDialogProps & { type: TypeEntry }): ReactElement {
  const { kind, row, type, onClose } = props;
  const { t } = useTranslation("integration");
  const schema = type.schemas[kind] ?? {};
  const [name, setName] = useState(row?.name ?? "");
  const draft = useDraft(row, schema);
  const connector = String(draft.value["connector"] ?? props.through?.name ?? "");
  const body = { ...draft.value, connector };
  const send = async () => {
    if (row !== null) {
      await call("put", `/${kind}/{id}`, { path: { id: idOf(row) }, body });
      return;
    }
    await call("post", `/${kind}`, { body: { ...body, type: type.type, name } });
    props.onMade?.(idOf({ type: type.type, name }));
  };
  return (
    <FormDialog
      title={
        row === null
          ? t(`${kind}.addOf`, { type: type.title })
          : t("editOne", { name: idOf(row) })
      }
      submit={t(row === null ? "create" : "save")}
      done={t("saved")}
      refresh={REFRESH}
      size="xl"
      onSubmit={send}
      onClose={onClose}
    >
      {row === null && <NameField value={name} onChange={setName} />}
      <ConnectorField
        type={type.type}
        value={connector}
        onChange={(next) => draft.put("connector", next)}
      />
      <TextInput
        label={t("field.description")}
        value={String(draft.value["description"] ?? "")}
        onChange={(event) => draft.put("description", event.currentTarget.value || undefined)}
      />
      <SettingsFields
        schema={schema}
        value={draft.value}
        onChange={draft.set}
        hidden={["enable", "description", "connector"]}
      />
      <Probe path={`/${kind}_probe`} body={{ ...body, type: type.type, name: name || "probe" }} />
    </FormDialog>
  );
}

interface ConnectorFieldProps {
  type: string;
  value: string;
  onChange: (name: string) => void;
}

/** Which connector of that type, or a new one without leaving the form. */
function ConnectorField({ type, value, onChange }: ConnectorFieldProps): ReactElement {
  const { t } = useTranslation("integration");
  const connectors = useGet("/connectors");
  const [isNew, setNew] = useState(false);
  const names = (connectors.data ?? []).filter((row) => row.type === type).map((row) => row.name);
  return (
    <>
      <Group align="flex-end" gap="xs">
        <Select
          className="grow"
          label={t("connector.one")}
          description={names.length === 0 ? t("connector.none") : undefined}
          required
          data={value === "" || names.includes(value) ? names : [...names, value]}
          value={value || null}
          allowDeselect={false}
          onChange={(next) => next !== null && onChange(next)}
        />
        <Button variant="default" onClick={() => setNew(true)}>
          {t("connector.new")}
        </Button>
      </Group>
      {isNew && (
        <ConnectorDialog
          connector={null}
          type={type}
          onMade={(id) => onChange(nameIn(id))}
          onClose={() => setNew(false)}
        />
      )}
    </>
  );
}
