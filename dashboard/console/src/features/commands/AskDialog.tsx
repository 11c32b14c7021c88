/** Has something started or stopped at a cluster, now or when its agent is back. */
import { Select, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";

import { ASKED, COMMANDS } from "./states";

interface AskDialogProps {
  values: Record<string, string>;
  onClose: () => void;
}

export function AskDialog({ values, onClose }: AskDialogProps): ReactElement {
  const { t } = useTranslation("commands");
  const [kind, setKind] = useState<string>("rule.stop");
  const [object, setObject] = useState("");
  const send = () =>
    call("post", COMMANDS, { path: values, body: { kind, objectId: object.trim() } });
  return (
    <FormDialog
      title={t("ask.title")}
      submit={t("ask.submit")}
      done={t("ask.done")}
      refresh={[COMMANDS]}
      onSubmit={send}
      onClose={onClose}
    >
      <Text size="sm">{t("ask.text")}</Text>
      <Select
        label={t("kind")}
        required
        allowDeselect={false}
        data={ASKED.map((each) => ({ value: each, label: t(`kinds.${each.replace(".", "_")}`) }))}
        value={kind}
        onChange={(value) => setKind(value ?? kind)}
      />
      <TextInput
        label={t("ask.object")}
        description={t("ask.objectHelp")}
        required
        maxLength={256}
        autoComplete="off"
        value={object}
        onChange={(event) => setObject(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
