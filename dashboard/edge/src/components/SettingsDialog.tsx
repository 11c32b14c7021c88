/** Sets up a driver or application. */
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { Loading } from "@/components/Loading";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";

import { defaultsOf, fieldsOf, filled, type Values } from "./settings";
import { SettingFields } from "./SettingFields";

export interface SetUp {
  name: string;
  plugin: string;
  /** As in its row of the list; 1: nobody has set it up. */
  running: number;
}

interface SettingsDialogProps {
  node: SetUp;
  onClose: () => void;
}

export const NOT_SET_UP = 1;

export function SettingsDialog({ node, onClose }: SettingsDialogProps): ReactElement {
  const { t } = useTranslation();
  // As it was when this was opened: it is set up in here.
  const [isNew] = useState(node.running === NOT_SET_UP);
  const schema = useGet<string>("/neuron/schema", { query: { schema_name: node.plugin } });
  const held = useGet("/neuron/node/setting", { query: { node: node.name }, enabled: !isNew });
  const title = t("settingsOf", { name: node.name });
  const error = schema.error ?? held.error;
  if (error !== null || schema.data === undefined || (held.data === undefined && !isNew)) {
    return (
      <Dialog title={title} onClose={onClose}>
        {error === null ? <Loading /> : <ErrorPanel error={error} />}
      </Dialog>
    );
  }
  return (
    <Form
      title={title}
      node={node.name}
      schema={schema.data as Record<string, unknown>}
      held={isNew ? {} : (held.data?.params ?? {})}
      onClose={onClose}
    />
  );
}

interface FormProps {
  title: string;
  node: string;
  schema: Record<string, unknown>;
  held: Values;
  onClose: () => void;
}

function Form({ title, node, schema, held, onClose }: FormProps): ReactElement {
  const { t } = useTranslation();
  const fields = fieldsOf(schema);
  const [values, setValues] = useState<Values>({ ...defaultsOf(fields), ...held });
  return (
    <FormDialog
      title={title}
      submit={t("save")}
      done={t("saved")}
      size="lg"
      refresh={["/neuron/node"]}
      onSubmit={() =>
        call("post", "/neuron/node/setting", { body: { node, params: filled(fields, values) } })
      }
      onClose={onClose}
    >
      <SettingFields fields={fields} values={values} onChange={setValues} />
    </FormDialog>
  );
}
