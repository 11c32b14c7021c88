import { Select, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@edge/api/client";
import type { TemplateRow } from "@edge/api/shapes";
import { DRIVER, useNodes } from "@edge/components/nodes";

/** Makes a template of a driver that is there. */
export function FromDriverDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { t } = useTranslation("templates");
  const { nodes = [] } = useNodes(DRIVER);
  const [name, setName] = useState("");
  const [node, setNode] = useState<string | null>(null);
  return (
    <FormDialog
      title={t("add")}
      submit={t("create")}
      done={t("created")}
      refresh={["/neuron/template"]}
      onSubmit={() => call("post", "/neuron/template/node", { body: { name, node } })}
      onClose={onClose}
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
        label={t("driver")}
        description={t("driverHelp")}
        required
        searchable
        data={nodes.map((one) => one.name)}
        value={node}
        onChange={setNode}
      />
    </FormDialog>
  );
}

interface InstanceDialogProps {
  template: TemplateRow;
  onClose: () => void;
}

/** Makes a driver of a template. */
export function InstanceDialog({ template, onClose }: InstanceDialogProps): ReactElement {
  const { t } = useTranslation("templates");
  const [node, setNode] = useState("");
  return (
    <FormDialog
      title={t("useOne", { name: template.name })}
      submit={t("create")}
      done={t("made")}
      refresh={["/neuron/"]}
      onSubmit={() => call("post", "/neuron/template/inst", { body: { name: template.name, node } })}
      onClose={onClose}
    >
      <Text size="sm">{t("useHelp")}</Text>
      <TextInput
        label={t("newDriver")}
        required
        maxLength={128}
        data-autofocus
        value={node}
        onChange={(event) => setNode(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
