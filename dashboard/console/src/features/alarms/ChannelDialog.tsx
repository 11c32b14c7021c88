/** A push configuration: for which clusters, who gets mail, what is called. */
import { NativeSelect, SimpleGrid, Switch, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { AlarmChannel } from "@console/api/shapes";
import { usePlace } from "@console/components/place";

import { CHANNELS } from "./paths";
import { bodyOfWebhook, draftOfWebhook, WebhookFields } from "./WebhookFields";

const RECIPIENTS_MAX = 10;

interface ChannelDialogProps {
  /** The one that is changed; null adds a new one. */
  channel: AlarmChannel | null;
  onClose: () => void;
}

export function ChannelDialog({ channel, onClose }: ChannelDialogProps): ReactElement {
  const { t, i18n } = useTranslation("alarms");
  const path = { ...usePlace() };
  const [draft, setDraft] = useState({
    name: channel?.name ?? "",
    isEnabled: channel?.isEnabled ?? true,
    language: channel?.language ?? (i18n.language.startsWith("zh") ? "zh" : "en"),
    pushesClusters: channel?.pushesClusters ?? true,
    labels: channel?.labels ?? [],
    recipients: channel?.recipients ?? [],
  });
  const [webhook, setWebhook] = useState(() => draftOfWebhook(channel?.webhook ?? null));
  const send = () => {
    const body = { ...draft, webhook: bodyOfWebhook(webhook) };
    return channel === null
      ? call("post", CHANNELS, { path, body })
      : call("put", `${CHANNELS}/{channel}`, { path: { ...path, channel: channel.id }, body });
  };
  const flag = (name: "isEnabled" | "pushesClusters") => (
    <Switch
      label={t(name === "isEnabled" ? "isEnabled" : "channel.pushesClusters")}
      checked={draft[name]}
      onChange={(event) => setDraft({ ...draft, [name]: event.currentTarget.checked })}
    />
  );
  return (
    <FormDialog
      title={channel?.name ?? t("channel.add")}
      submit={t("save")}
      done={t("saved")}
      size="lg"
      refresh={[CHANNELS]}
      onSubmit={send}
      onClose={onClose}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={50}
        value={draft.name}
        onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
      />
      <SimpleGrid cols={2}>
        {flag("isEnabled")}
        {flag("pushesClusters")}
      </SimpleGrid>
      <TagsInput
        label={t("channel.labels")}
        description={t("channel.labelsHelp")}
        placeholder={draft.labels.length === 0 ? t("channel.all") : ""}
        value={draft.labels}
        onChange={(labels) => setDraft({ ...draft, labels })}
      />
      <NativeSelect
        label={t("channel.language")}
        data={[
          { value: "zh", label: "中文" },
          { value: "en", label: "English" },
        ]}
        value={draft.language}
        onChange={(event) =>
          setDraft({ ...draft, language: event.currentTarget.value as AlarmChannel["language"] })
        }
      />
      <TagsInput
        label={t("channel.recipients")}
        description={t("channel.recipientsHelp", { most: RECIPIENTS_MAX })}
        maxTags={RECIPIENTS_MAX}
        splitChars={[",", ";", " "]}
        acceptValueOnBlur
        value={draft.recipients}
        onChange={(recipients) => setDraft({ ...draft, recipients })}
      />
      <WebhookFields value={webhook} onChange={setWebhook} />
    </FormDialog>
  );
}
