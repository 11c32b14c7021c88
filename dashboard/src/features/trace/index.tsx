import { Button, Tabs } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useCapabilities } from "@/api/capabilities";
import { call, download } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { TraceRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { SettingsForm } from "@/components/SettingsForm";
import { RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";

import { LogLevels } from "./LogLevels";
import { TraceDialog } from "./TraceDialog";
import { TraceLog } from "./TraceLog";

const EVERY_MS = 10_000;

function target(row: TraceRow): string {
  return row.clientid ?? row.topic ?? row.ip_address ?? "";
}

export default function TracePage(): ReactElement {
  const { t } = useTranslation("trace");
  const mayChange = useMayChange();
  const capabilities = useCapabilities();
  const [parameters, setParameters] = useSearchParams();
  const [read, setRead] = useState<string | null>(null);
  const refresh = ["/trace"];
  const stop = useAct<string>({
    run: (name) => call("put", "/trace/{name}/stop", { path: { name } }),
    refresh,
    done: t("stopped"),
  });
  const remove = useAct<string>({
    run: (name) => call("delete", "/trace/{name}", { path: { name } }),
    refresh,
    done: t("deleted"),
    ask: (name) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const save = useAct<string>({
    run: (name) => download("/trace/{name}/download", `${name}.zip`, { path: { name } }),
    refresh: [],
    done: t("downloaded"),
  });
  const isNew = parameters.has("new");
  const has = (operation: string) => capabilities?.has(operation) ?? false;
  const hasLog = has("GET /schemas/configs") && has("GET /configs");
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange && (
          <Button onClick={() => setParameters({ new: "clientid" })}>{t("start")}</Button>
        )
      }
    >
      <Tabs defaultValue="traces">
        <Tabs.List mb="md">
          <Tabs.Tab value="traces">{t("traces")}</Tabs.Tab>
          {hasLog && <Tabs.Tab value="log">{t("log")}</Tabs.Tab>}
          {has("GET /log/levels") && <Tabs.Tab value="levels">{t("levels")}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="traces">
          <DataTable<TraceRow>
            label={t("traces")}
            path="/trace"
            every={EVERY_MS}
            filters={[{ name: "find", label: t("find") }]}
            columns={[
              { key: "name", label: t("field.name") },
              { key: "type", label: t("field.type"), render: (row) => t(`type.${row.type}`) },
              { key: "target", label: t("what"), render: target, isUnsorted: true },
              {
                key: "status",
                label: t("field.state"),
                render: (row) => <StatusBadge state={row.status ?? ""} />,
              },
              {
                key: "start_at",
                label: t("from"),
                render: (row) => formatTime(row.start_at),
              },
              {
                key: "end_at",
                label: t("until"),
                render: (row) => formatTime(row.end_at),
              },
            ]}
            rowKey={(row) => row.name}
            empty={{ title: t("empty.title"), text: t("empty.text") }}
            actions={(row) => (
              <>
                <RowButton
                  text={t("read")}
                  label={`${t("read")} ${row.name}`}
                  onClick={() => setRead(row.name)}
                />
                <RowButton
                  text={t("download")}
                  label={`${t("download")} ${row.name}`}
                  onClick={() => void save.act(row.name)}
                />
                {mayChange && row.status !== "stopped" && (
                  <RowButton
                    text={t("stop")}
                    label={`${t("stop")} ${row.name}`}
                    onClick={() => void stop.act(row.name)}
                  />
                )}
                {mayChange && (
                  <RowButton
                    text={t("delete")}
                    label={t("deleteOne", { name: row.name })}
                    isDanger
                    onClick={() => void remove.act(row.name)}
                  />
                )}
              </>
            )}
          />
        </Tabs.Panel>
        <Tabs.Panel value="log">
          <SettingsForm path="log" />
        </Tabs.Panel>
        <Tabs.Panel value="levels">
          <LogLevels />
        </Tabs.Panel>
      </Tabs>
      {isNew && (
        <TraceDialog
          type={parameters.get("new") ?? "clientid"}
          value={parameters.get("value") ?? ""}
          onClose={() => setParameters({}, { replace: true })}
        />
      )}
      {read !== null && <TraceLog name={read} onClose={() => setRead(null)} />}
    </Page>
  );
}
