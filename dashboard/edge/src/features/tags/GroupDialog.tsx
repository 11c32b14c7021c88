import { NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@edge/api/client";
import type { GroupRow } from "@edge/api/shapes";

interface GroupDialogProps {
  node: string;
  /** Null makes a new one. */
  group: GroupRow | null;
  onClose: () => void;
}

export function GroupDialog({ node, group, onClose }: GroupDialogProps): ReactElement {
  const { t } = useTranslation("tags");
  const [name, setName] = useState(group?.name ?? "");
  const [interval, setInterval] = useState<string | number>(group?.interval ?? 1000);
  const save = () =>
    group === null
      ? call("post", "/neuron/group", { body: { node, group: name, interval: Number(interval) } })
      : call("put", "/neuron/group", {
          body: { node, group: group.name, new_name: name, interval: Number(interval) },
        });
  return (
    <FormDialog
      title={group === null ? t("addGroup") : t("editOne", { name: group.name })}
      submit={group === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={["/neuron/"]}
      onSubmit={save}
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
      <NumberInput
        label={t("interval")}
        description={t("intervalHelp")}
        required
        min={100}
        allowDecimal={false}
        value={interval}
        onChange={setInterval}
      />
    </FormDialog>
  );
}
