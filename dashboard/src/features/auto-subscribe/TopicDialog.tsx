import { Select, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { AutoSubscription } from "@/api/shapes";
import { FormDialog } from "@/components/FormDialog";

const EMPTY: AutoSubscription = { topic: "", qos: 0, nl: 0, rap: 0, rh: 0 };
const LEVELS = [0, 1, 2] as const;

interface TopicDialogProps {
  /** Null makes a new one. */
  subscription: AutoSubscription | null;
  refresh: readonly string[];
  onSave: (subscription: AutoSubscription) => Promise<unknown>;
  onClose: () => void;
}

export function TopicDialog(props: TopicDialogProps): ReactElement {
  const { t } = useTranslation("autoSubscribe");
  const { subscription } = props;
  const [draft, setDraft] = useState(subscription ?? EMPTY);
  const put = (change: Partial<AutoSubscription>) => setDraft({ ...draft, ...change });
  return (
    <FormDialog
      title={subscription === null ? t("add") : t("editOne", { name: subscription.topic })}
      submit={subscription === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={props.refresh}
      onSubmit={() => props.onSave(draft)}
      onClose={props.onClose}
    >
      <TextInput
        label={t("field.filter")}
        description={t("topicHelp")}
        required
        value={draft.topic}
        onChange={(event) => put({ topic: event.currentTarget.value })}
      />
      <Select
        label={t("qos")}
        data={LEVELS.map(String)}
        value={String(draft.qos ?? 0)}
        allowDeselect={false}
        onChange={(value) => put({ qos: Number(value) })}
      />
      <Select
        label={t("field.retainHandling")}
        data={LEVELS.map((each) => ({ value: String(each), label: t(`handling.${each}`) }))}
        value={String(draft.rh ?? 0)}
        allowDeselect={false}
        onChange={(value) => put({ rh: Number(value) })}
      />
      <Switch
        label={t("field.noLocal")}
        description={t("noLocalHelp")}
        checked={draft.nl === 1}
        onChange={(event) => put({ nl: event.currentTarget.checked ? 1 : 0 })}
      />
      <Switch
        label={t("field.retainAsPublished")}
        description={t("retainAsPublishedHelp")}
        checked={draft.rap === 1}
        onChange={(event) => put({ rap: event.currentTarget.checked ? 1 : 0 })}
      />
    </FormDialog>
  );
}
