import { Alert, Select, Text, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import { NOT_SET_UP, type SetUp } from "@edge/components/SettingsDialog";

interface AddNodeDialogProps {
  type: number;
  /** With what was added, whose settings come next. */
  onClose: (added: SetUp | null) => void;
}

export function AddNodeDialog({ type, onClose }: AddNodeDialogProps): ReactElement {
  const { t } = useTranslation("nodes");
  const plugins = useGet("/neuron/plugin").data?.plugins.filter((one) => one.node_type === type);
  const [name, setName] = useState("");
  const [plugin, setPlugin] = useState<string | null>(null);
  const added = useRef<SetUp | null>(null);
  const chosen = plugins?.find((one) => one.name === plugin);
  return (
    <FormDialog
      title={t("addTitle")}
      submit={t("create")}
      refresh={["/neuron/node"]}
      onSubmit={async () => {
        await call("post", "/neuron/node", { body: { name, plugin } });
        added.current = { name, plugin: plugin ?? "", running: NOT_SET_UP };
      }}
      onClose={() => onClose(added.current)}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={128}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label={t("plugin")}
        required
        searchable
        data={(plugins ?? []).map((one) => ({ value: one.name, label: one.title }))}
        value={plugin}
        onChange={setPlugin}
      />
      {chosen !== undefined && <Text size="sm">{chosen.description}</Text>}
      {chosen !== undefined && !chosen.is_installed && <Alert color="orange">{chosen.missing}</Alert>}
    </FormDialog>
  );
}
