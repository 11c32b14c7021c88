import { Button, Group, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { SubscriptionRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";

export function ClientSubscriptions({ clientid }: { clientid: string }): ReactElement {
  const { t } = useTranslation("clients");
  const mayChange = useMayChange();
  const [topic, setTopic] = useState("");
  const [qos, setQos] = useState("0");
  const path = { clientid };
  const subscribe = useAct({
    run: () =>
      call("post", "/clients/{clientid}/subscribe", { path, body: { topic, qos: Number(qos) } }),
    refresh: ["/clients", "/subscriptions"],
    done: t("subscribe.done"),
  });
  const unsubscribe = useAct<string>({
    run: (filter) =>
      call("post", "/clients/{clientid}/unsubscribe", { path, body: { topic: filter } }),
    refresh: ["/clients", "/subscriptions"],
    done: t("unsubscribe.done"),
    ask: (filter) => ({
      title: t("unsubscribe.title"),
      text: t("unsubscribe.text", { topic: filter }),
      action: t("unsubscribe.action"),
    }),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    void subscribe.act().then((isDone) => isDone && setTopic(""));
  };
  return (
    <>
      {mayChange && (
        <form onSubmit={send}>
          <Group align="flex-end" mb="md">
            <TextInput
              label={t("subscribe.topic")}
              required
              value={topic}
              onChange={(event) => setTopic(event.currentTarget.value)}
            />
            <Select
              label="QoS"
              data={["0", "1", "2"]}
              value={qos}
              allowDeselect={false}
              w={80}
              onChange={(value) => setQos(value ?? "0")}
            />
            <Button type="submit" loading={subscribe.isBusy}>
              {t("subscribe.action")}
            </Button>
          </Group>
        </form>
      )}
      <DataTable<SubscriptionRow>
        label={t("detail.subscriptions")}
        path="/subscriptions"
        query={{ clientid }}
        name="s"
        filters={[{ name: "match_topic", label: t("matches") }]}
        columns={[
          { key: "topic", label: t("field.filter") },
          { key: "qos", label: "QoS", isNumber: true },
          { key: "nl", label: t("field.noLocal"), isNumber: true },
          { key: "rap", label: t("field.retainAsPublished"), isNumber: true },
          { key: "rh", label: t("field.retainHandling"), isNumber: true },
        ]}
        rowKey={(row) => row.topic}
        empty={{ title: t("noSubscriptions.title"), text: t("noSubscriptions.text") }}
        {...(mayChange && {
          actions: (row: SubscriptionRow) => (
            <RowButton
              text={t("unsubscribe.action")}
              label={`${t("unsubscribe.action")} ${row.topic}`}
              isDanger
              onClick={() => void unsubscribe.act(row.topic)}
            />
          ),
        })}
      />
    </>
  );
}
