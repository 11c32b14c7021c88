import { Switch, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { ApiError } from "@/lib/apiError";
import type { AdoptionRule } from "@console/api/shapes";
import { RULES } from "@console/components/edgePaths";
import { usePlaces } from "@console/components/place";
import { ProjectSelect } from "@console/components/ProjectSelect";

const NAME_TEMPLATE = "{description}-{shortId}";

interface RuleDialogProps {
  rule: AdoptionRule | undefined;
  /** Names of the others. */
  taken: readonly string[];
  onSave: (rule: AdoptionRule) => Promise<unknown>;
  onClose: () => void;
}

export function RuleDialog({ rule, taken, onSave, onClose }: RuleDialogProps): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const { current } = usePlaces();
  const [draft, setDraft] = useState<AdoptionRule>(
    rule ?? {
      name: "",
      isEnabled: true,
      description: "",
      hostName: "",
      orgId: current?.orgId ?? "",
      projectId: current?.id ?? "",
      nameTemplate: NAME_TEMPLATE,
      labels: [],
    },
  );
  const set = (change: Partial<AdoptionRule>) => setDraft({ ...draft, ...change });
  const send = async () => {
    const name = draft.name.trim();
    if (taken.includes(name)) throw new ApiError(-1, "ALREADY_EXISTS", name);
    await onSave({ ...draft, name });
  };
  const text = (key: "description" | "hostName" | "nameTemplate") => (
    <TextInput
      label={t(`rules.field.${key}`)}
      description={t(`rules.fieldHelp.${key}`)}
      required={key === "nameTemplate"}
      value={draft[key]}
      onChange={(event) => set({ [key]: event.currentTarget.value })}
    />
  );
  return (
    <FormDialog
      title={t(rule === undefined ? "rules.add" : "rules.edit")}
      submit={t("save")}
      done={t("saved")}
      refresh={[RULES]}
      onSubmit={send}
      onClose={onClose}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={100}
        data-autofocus
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <Switch
        label={t("rules.isEnabled")}
        checked={draft.isEnabled}
        onChange={(event) => set({ isEnabled: event.currentTarget.checked })}
      />
      {text("description")}
      {text("hostName")}
      <ProjectSelect
        label={t("target")}
        value={draft.projectId || null}
        onChange={(project) => set({ orgId: project?.orgId ?? "", projectId: project?.id ?? "" })}
      />
      {text("nameTemplate")}
      <TagsInput
        label={t("labels")}
        description={t("labelsHelp")}
        value={draft.labels ?? []}
        onChange={(labels) => set({ labels })}
        clearable={false}
      />
    </FormDialog>
  );
}
