import { Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { FormDialog } from "@/components/FormDialog";

interface InviteDialogProps {
  refresh: readonly string[];
  onClose: () => void;
}

export function InviteDialog({ refresh, onClose }: InviteDialogProps): ReactElement {
  const { t } = useTranslation("nodes");
  const [node, setNode] = useState("");
  return (
    <FormDialog
      title={t("invite.title")}
      submit={t("invite.action")}
      done={t("invite.done")}
      refresh={refresh}
      onClose={onClose}
      onSubmit={() => call("put", "/cluster/{node}/invite", { path: { node: node.trim() }, body: {} })}
    >
      <Text size="sm">{t("invite.text")}</Text>
      <TextInput
        label={t("invite.node")}
        placeholder="rookery@10.0.0.2"
        required
        data-autofocus
        value={node}
        onChange={(event) => setNode(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
