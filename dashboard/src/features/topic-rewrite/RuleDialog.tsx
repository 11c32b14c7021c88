import { Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { RewriteRule } from "@/api/shapes";
import { FormDialog } from "@/components/FormDialog";

const ACTIONS = ["publish", "subscribe", "all"] as const;
const EMPTY: RewriteRule = { action: "publish", source_topic: "", re: "", dest_topic: "" };

interface RuleDialogProps {
  /** Null makes a new one. */
  rule: RewriteRule | null;
  refresh: readonly string[];
  onSave: (rule: RewriteRule) => Promise<unknown>;
  onClose: () => void;
}

export function RuleDialog({ rule, refresh, onSave, onClose }: RuleDialogProps): ReactElement {
  const { t } = useTranslation("topicRewrite");
  const [draft, setDraft] = useState(rule ?? EMPTY);
  const text = (name: "source_topic" | "re" | "dest_topic", label: string, help: string) => (
    <TextInput
      label={label}
      description={help}
      required
      value={draft[name]}
      onChange={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
    />
  );
  return (
    <FormDialog
      title={rule === null ? t("add") : t("editOne", { name: rule.source_topic })}
      submit={rule === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={refresh}
      onSubmit={() => onSave(draft)}
      onClose={onClose}
    >
      <Select
        label={t("action")}
        data={ACTIONS.map((each) => ({ value: each, label: t(`of.${each}`) }))}
        value={draft.action}
        allowDeselect={false}
        onChange={(action) => action !== null && setDraft({ ...draft, action })}
      />
      {text("source_topic", t("source"), t("sourceHelp"))}
      {text("re", t("expression"), t("expressionHelp"))}
      {text("dest_topic", t("result"), t("resultHelp"))}
    </FormDialog>
  );
}
