/** Sets up a driver or application. */
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { Loading } from "@/components/Loading";
import { ApiError } from "@/lib/apiError";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";

import { defaultsOf, fieldsOf, filled, type Values } from "./settings";
import { SettingFields } from "./SettingFields";

interface SettingsDialogProps {
  node: string;
  plugin: string;
  onClose: () => void;
}

const NOT_SET_UP = "2005";

export function SettingsDialog({ node, plugin, onClose }: SettingsDialogProps): ReactElement {
  const { t } = useTranslation();
  const schema = useGet<string>("/neuron/schema", { query: { schema_name: plugin } });
  const held = useGet("/neuron/node/setting", { query: { node } });
  const isNew = held.error !== null && ApiError.from(held.error).code === NOT_SET_UP;
  const title = t("settingsOf", { name: node });
  const error = schema.error ?? (isNew ? null : held.error);
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
      node={node}
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
