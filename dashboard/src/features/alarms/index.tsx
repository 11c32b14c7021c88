import { Button, Tabs } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Alarm } from "@/api/shapes";
import { DataTable, type Column } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { useAct } from "@/components/useAct";
import { formatDuration, formatMembers, formatTime } from "@/lib/format";

const EVERY_MS = 10_000;

export default function AlarmsPage(): ReactElement {
  const { t, i18n } = useTranslation("alarms");
  const mayChange = useMayChange();
  const [tab, setTab] = useState<string | null>("active");
  const clear = useAct({
    run: () => call("delete", "/alarms"),
    refresh: ["/alarms"],
    done: t("clear.done"),
    ask: () => ({ title: t("clear.title"), text: t("clear.text"), action: t("clear.action") }),
  });
  const isActive = tab === "active";
  const columns: Column<Alarm>[] = [
    { key: "name", label: t("field.name") },
    { key: "message", label: t("message") },
    { key: "activate_at", label: t("since"), render: (row) => formatTime(row.activate_at) },
    ...(isActive
      ? []
      : [
          {
            key: "deactivate_at",
            label: t("until"),
            render: (row: Alarm) => formatTime(row.deactivate_at),
          },
        ]),
    { key: "duration", label: t("duration"), render: (row) => formatDuration(row.duration, i18n.language) },
    { key: "details", label: t("details"), render: (row) => formatMembers(row.details), isUnsorted: true },
    { key: "node", label: t("field.node") },
  ];
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
      <Tabs value={tab} onChange={setTab}>
        <Tabs.List>
          <Tabs.Tab value="active">{t("active")}</Tabs.Tab>
          <Tabs.Tab value="past">{t("past")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={tab ?? "active"} pt="md">
          <DataTable<Alarm>
            key={tab}
            name={tab ?? ""}
            label={isActive ? t("active") : t("past")}
            path="/alarms"
            query={{ activated: isActive }}
            columns={columns}
            every={EVERY_MS}
            filters={[
              { name: "like_name", label: t("field.name") },
              { name: "like_message", label: t("message") },
            ]}
            rowKey={(row) => `${row.node} ${row.name} ${row.activate_at ?? ""}`}
            empty={
              isActive
                ? { title: t("noneActive.title"), text: t("noneActive.text") }
                : { title: t("nonePast.title"), text: t("nonePast.text") }
            }
          />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
