/** Makes or changes a connector: choose a type, fill in its form, try it. */
import { Loader, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { ConnectorRow } from "@/api/shapes";
import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";

import { NameField } from "./NameField";
import { Probe } from "./Probe";
import { idOf, REFRESH } from "./kinds";
import { SettingsFields } from "./SettingsFields";
import { TypeGallery } from "./TypeGallery";
import { useDraft } from "./useDraft";
import { useTypes, type TypeEntry } from "./useTypes";

interface ConnectorDialogProps {
  /** Null makes a new one. */
  connector: ConnectorRow | null;
  /** The type of a new one; without, it is chosen first. */
  type?: string;
  onMade?: (id: string) => void;
  onClose: () => void;
}

export function ConnectorDialog(props: ConnectorDialogProps): ReactElement {
  const { t } = useTranslation("integration");
  const known = useTypes();
  const [chosen, setChosen] = useState(props.connector?.type ?? props.type);
  const type = known.types.find((entry) => entry.type === chosen);
  if (type !== undefined) return <ConnectorForm {...props} type={type} />;
  return (
    <Dialog title={t("connector.add")} size="xl" onClose={props.onClose}>
      <ErrorPanel error={known.error} />
      {known.isPending && <Loader aria-label={t("loading")} />}
      <TypeGallery types={known.types} onChoose={setChosen} />
    </Dialog>
  );
}

type FormProps = Omit<ConnectorDialogProps, "type"> & { type: TypeEntry };

function ConnectorForm({ connector, type, onMade, onClose }: FormProps): ReactElement {
  const { t } = useTranslation("integration");
  const schema = type.schemas.connectors ?? {};
  const [name, setName] = useState(connector?.name ?? "");
  const draft = useDraft(connector, schema);
  const send = async () => {
    if (connector !== null) {
      await call("put", "/connectors/{id}", { path: { id: idOf(connector) }, body: draft.value });
      return;
    }
    await call("post", "/connectors", { body: { ...draft.value, type: type.type, name } });
    onMade?.(idOf({ type: type.type, name }));
  };
  return (
    <FormDialog
      title={
        connector === null
          ? t("connector.addOf", { type: type.title })
          : t("editOne", { name: idOf(connector) })
      }
      submit={t(connector === null ? "create" : "save")}
      done={t("saved")}
      refresh={REFRESH}
      size="xl"
      onSubmit={send}
      onClose={onClose}
    >
      {connector === null && <NameField value={name} onChange={setName} />}
      <TextInput
        label={t("field.description")}
        value={String(draft.value["description"] ?? "")}
        onChange={(event) => draft.put("description", event.currentTarget.value || undefined)}
      />
      <SettingsFields
        schema={schema}
        value={draft.value}
        onChange={draft.set}
        hidden={["enable", "description"]}
      />
      <Probe path="/connectors_probe" body={{ ...draft.value, type: type.type, name: name || "probe" }} />
    </FormDialog>
  );
}
