import { Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import type { SubscriptionRow } from "@edge/api/shapes";

interface SubscriptionDialogProps {
  app: string;
  /** Null makes a new one. */
  held: SubscriptionRow | null;
  onClose: () => void;
}

export function SubscriptionDialog({ app, held, onClose }: SubscriptionDialogProps): ReactElement {
  const { t } = useTranslation("subscriptions");
  const groups = useGet("/neuron/group").data?.groups ?? [];
  const [driver, setDriver] = useState<string | null>(held?.driver ?? null);
  const [group, setGroup] = useState<string | null>(held?.group ?? null);
  const [topic, setTopic] = useState(String(held?.params?.["topic"] ?? ""));
  const { topic: _topic, ...others } = held?.params ?? {};
  const params = topic === "" ? others : { ...others, topic };
  return (
    <FormDialog
      title={held === null ? t("add") : t("editOne", { name: `${held.driver} / ${held.group}` })}
      submit={t("save")}
      done={t("saved")}
      refresh={["/neuron/subscribe"]}
      onSubmit={() =>
        call(held === null ? "post" : "put", "/neuron/subscribe", {
          body: { app, driver, group, params },
        })
      }
      onClose={onClose}
    >
      <Select
        label={t("driver")}
        required
        searchable
        disabled={held !== null}
        data={[...new Set(groups.map((one) => one.driver))]}
        value={driver}
        onChange={(next) => {
          setDriver(next);
          setGroup(null);
        }}
      />
      <Select
        label={t("group")}
        required
        searchable
        disabled={held !== null}
        data={groups.filter((one) => one.driver === driver).map((one) => one.group)}
        value={group}
        onChange={setGroup}
      />
      <TextInput
        label={t("field.topic")}
        description={t("topicHelp")}
        maxLength={1024}
        value={topic}
        onChange={(event) => setTopic(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
