import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@edge/api/client";
import type { NodeRow } from "@edge/api/shapes";

export function RenameDialog({ node, onClose }: { node: NodeRow; onClose: () => void }): ReactElement {
  const { t } = useTranslation("nodes");
  const [name, setName] = useState(node.name);
  return (
    <FormDialog
      title={t("renameOne", { name: node.name })}
      submit={t("save")}
      done={t("saved")}
      refresh={["/neuron/"]}
      onSubmit={() => call("put", "/neuron/node", { body: { name: node.name, new_name: name } })}
      onClose={onClose}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={128}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
