import { Button, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { PluginRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { MoveButtons, RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";

import { DetailsDialog } from "./DetailsDialog";
import { InstallDialog } from "./InstallDialog";
import { PluginDialog } from "./PluginDialog";

const EVERY_MS = 5000;

const nameOf = (row: PluginRow): string => row.name;

/** Whether it was started; a plugin that crashed is started anew from here as well. */
function isStarted(row: PluginRow): boolean {
  return row.status !== "stopped" && row.status !== "crashed";
}

export default function PluginsPage(): ReactElement {
  const { t } = useTranslation("plugins");
  const mayChange = useMayChange();
  const [configured, setConfigured] = useState<string | null>(null);
  const [shown, setShown] = useState<PluginRow | null>(null);
  const [isInstalling, setInstalling] = useState(false);
  const refresh = ["/plugins"];
  const run = useAct<{ name: string; action: "start" | "stop" | "restart" }>({
    run: ({ name, action }) => call("put", "/plugins/{name}/{action}", { path: { name, action } }),
    refresh,
    done: t("done"),
  });
  const move = useAct<{ name: string; position: string }>({
    run: ({ name, position }) =>
      call("post", "/plugins/{name}/move", { path: { name }, body: { position } }),
    refresh,
    done: t("moved"),
  });
  const remove = useAct<string>({
    run: (name) => call("delete", "/plugins/{name}", { path: { name } }),
    refresh,
    done: t("deleted"),
    ask: (name) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("remove.action"),
    }),
  });
  const runButton = (row: PluginRow, action: "start" | "stop" | "restart", word: string) => (
    <RowButton
      text={word}
      label={`${word} ${row.name}`}
      onClick={() => void run.act({ name: nameOf(row), action })}
    />
  );
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange && <Button onClick={() => setInstalling(true)}>{t("install.action")}</Button>
      }
    >
      <DataTable<PluginRow>
        label={t("title")}
        path="/plugins"
        every={EVERY_MS}
        isOrdered
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: (row) => (
              <>
                <Text size="sm" fw={600}>
                  {row.name}
                </Text>
                <Text size="xs" c="dimmed">
                  {row.description}
                </Text>
              </>
            ),
          },
          {
            key: "status",
            label: t("field.state"),
            render: (row) => (
              <>
                <StatusBadge state={row.status ?? "stopped"} />
                {row.error && (
                  <Text size="xs" className="cell-text">
                    {row.error}
                  </Text>
                )}
              </>
            ),
          },
          { key: "restarts", label: t("restarts"), isNumber: true },
          { key: "hookpoints", label: t("hookpoints"), render: (row) => row.hookpoints?.join(", ") },
        ]}
        rowKey={nameOf}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row, index, rows) => (
          <>
            {mayChange && (
              <MoveButtons
                name={row.name}
                index={index}
                count={rows.length}
                onMove={(to) => {
                  const other = rows[to];
                  const side = to < index ? "before" : "after";
                  if (other !== undefined) {
                    void move.act({ name: nameOf(row), position: `${side}:${nameOf(other)}` });
                  }
                }}
              />
            )}
            {mayChange && isStarted(row) && runButton(row, "restart", t("reload"))}
            {mayChange &&
              (isStarted(row)
                ? runButton(row, "stop", t("stop"))
                : runButton(row, "start", t("start")))}
            {row.has_settings && (
              <RowButton
                text={t("settings")}
                label={`${t("settings")} ${row.name}`}
                onClick={() => setConfigured(row.name)}
              />
            )}
            <RowButton
              text={t("details")}
              label={t("detailsOf", { name: row.name })}
              onClick={() => setShown(row)}
            />
            {mayChange && (
              <RowButton
                text={t("remove.action")}
                label={`${t("remove.action")} ${row.name}`}
                isDanger
                onClick={() => void remove.act(nameOf(row))}
              />
            )}
          </>
        )}
      />
      {isInstalling && <InstallDialog onClose={() => setInstalling(false)} />}
      {configured !== null && (
        <PluginDialog name={configured} onClose={() => setConfigured(null)} />
      )}
      {shown !== null && <DetailsDialog plugin={shown} onClose={() => setShown(null)} />}
    </Page>
  );
}
