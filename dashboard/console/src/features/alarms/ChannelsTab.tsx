/** Who is told: push configurations, each with mail, a webhook, or both. */
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EditDelete, RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import type { AlarmChannel, PushTest } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";

import { ChannelDialog } from "./ChannelDialog";
import { CHANNELS, DELIVERIES } from "./paths";
import { TestResult } from "./TestResult";

type Medium = "mail" | "webhook";

export function ChannelsTab({ mayChange }: { mayChange: boolean }): ReactElement {
  const { t } = useTranslation("alarms");
  const path = { ...usePlace() };
  const [isAdding, setAdding] = useState(false);
  const [edited, setEdited] = useState<AlarmChannel | null>(null);
  const remove = useAct<AlarmChannel>({
    run: ({ id }) => call("delete", `${CHANNELS}/{channel}`, { path: { ...path, channel: id } }),
    refresh: [CHANNELS],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("channel.remove.title"),
      text: t("channel.remove.text", { name }),
      action: t("delete"),
    }),
  });
  const add = mayChange && <Button onClick={() => setAdding(true)}>{t("channel.add")}</Button>;
  return (
    <>
      <ListTable<AlarmChannel>
        label={t("tabs.push")}
        path={CHANNELS}
        isWhole
        pathValues={path}
        tools={add}
        columns={[
          { key: "name", label: t("field.name") },
          {
            key: "isEnabled",
            label: t("status"),
            render: (row) => <StatusBadge state={row.isEnabled ? "enabled" : "disabled"} />,
          },
          {
            key: "pushesClusters",
            label: t("channel.pushesClusters"),
            render: (row) => (row.pushesClusters ? t("yes") : t("no")),
          },
          { key: "labels", label: t("channel.labels"), render: (row) => row.labels.join(", ") || t("channel.all") },
          { key: "recipients", label: t("media.mail"), render: (row) => row.recipients.join(", ") },
          {
            key: "webhook",
            label: t("media.webhook"),
            render: (row) =>
              row.webhook !== null && (
                <div>
                  <Text size="sm">{t(`webhook.kinds.${row.webhook.kind}`)}</Text>
                  <Text size="xs" c="dimmed">
                    {row.webhook.host}
                  </Text>
                </div>
              ),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("channel.empty"), text: t("channel.emptyText"), action: add || undefined }}
        {...(mayChange && {
          actions: (row: AlarmChannel) => (
            <Group gap="xs" wrap="nowrap">
              <Tests channel={row} />
              <EditDelete
                name={row.name}
                onEdit={() => setEdited(row)}
                onDelete={() => void remove.act(row)}
              />
            </Group>
          ),
        })}
      />
      {(isAdding || edited !== null) && (
        <ChannelDialog
          channel={edited}
          onClose={() => {
            setAdding(false);
            setEdited(null);
          }}
        />
      )}
    </>
  );
}

/** A button for each way that it has. */
function Tests({ channel }: { channel: AlarmChannel }): ReactElement {
  const { t } = useTranslation("alarms");
  const toasts = useToasts();
  const path = { ...usePlace(), channel: channel.id };
  const [result, setResult] = useState<PushTest | null>(null);
  const test = useChange(
    (medium: Medium) =>
      call<PushTest>("post", `${CHANNELS}/{channel}/test`, { path, body: { medium } }),
    [DELIVERIES],
  );
  const send = (medium: Medium) => {
    test.mutate(medium, { onSuccess: setResult, onError: toasts.failed });
  };
  const button = (medium: Medium) => (
    <RowButton
      text={t(`channel.test.${medium}`)}
      label={t(`channel.testOne.${medium}`, { name: channel.name })}
      disabled={test.isPending}
      onClick={() => send(medium)}
    />
  );
  return (
    <>
      {channel.recipients.length > 0 && button("mail")}
      {channel.webhook !== null && button("webhook")}
      {result !== null && <TestResult result={result} onClose={() => setResult(null)} />}
    </>
  );
}
