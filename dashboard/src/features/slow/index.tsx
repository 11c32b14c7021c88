import { Button, Tabs } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { SlowRow } from "@/api/shapes";
import { ClientLink } from "@/components/ClientLink";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { useAct } from "@/components/useAct";
import { formatNumber, formatTime } from "@/lib/format";

import { SlowSettings } from "./SlowSettings";

const EVERY_MS = 10_000;

export default function SlowPage(): ReactElement {
  const { t, i18n } = useTranslation("slow");
  const mayChange = useMayChange();
  const clear = useAct({
    run: () => call("delete", "/slow_subscriptions"),
    refresh: ["/slow_subscriptions"],
    done: t("clear.done"),
    ask: () => ({ title: t("clear.title"), text: t("clear.text"), action: t("clear.action") }),
  });
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange && (
          <Button variant="default" onClick={() => void clear.act()}>
            {t("clear.action")}
          </Button>
        )
      }
    >
      <Tabs defaultValue="list">
        <Tabs.List mb="md">
          <Tabs.Tab value="list">{t("list")}</Tabs.Tab>
          <Tabs.Tab value="settings">{t("settings")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="list">
          <DataTable<SlowRow>
            label={t("title")}
            path="/slow_subscriptions"
            every={EVERY_MS}
            filters={[
              { name: "like_clientid", label: t("field.clientid") },
              { name: "like_topic", label: t("field.topic") },
            ]}
            columns={[
              {
                key: "clientid",
                label: t("field.clientid"),
                render: (row) => <ClientLink clientid={row.clientid} />,
              },
              { key: "topic", label: t("field.topic") },
              {
                key: "timespan",
                label: t("latency"),
                isNumber: true,
                render: (row) => t("ms", { number: formatNumber(row.timespan, i18n.language) }),
              },
              {
                key: "last_update_time",
                label: t("updated"),
                render: (row) => formatTime(row.last_update_time),
              },
              { key: "node", label: t("field.node") },
            ]}
            rowKey={(row) => `${row.clientid} ${row.topic}`}
            empty={{ title: t("empty.title"), text: t("empty.text") }}
          />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <SlowSettings />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
