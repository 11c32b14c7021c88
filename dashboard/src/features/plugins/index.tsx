import { Button, FileButton, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { PluginRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Icon } from "@/components/icons";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";

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
  const [shown, setShown] = useState<PluginRow | null>(null);
  const refresh = ["/plugins"];
  const install = useAct<File>({
    run: (file) => {
      const form = new FormData();
      form.set("plugin", file);
      return call("post", "/plugins/install", { body: form, as: "form" });
    },
    refresh,
    done: t("installed"),
  });
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
  const arrows = (row: PluginRow, index: number, rows: PluginRow[]) => {
    const before = rows[index - 1];
    const after = rows[index + 1];
    return (
      <>
        <Button
          size="xs"
          variant="subtle"
          aria-label={t("moveUp", { name: row.name })}
          disabled={before === undefined}
          onClick={() =>
            before && void move.act({ name: nameOf(row), position: `before:${nameOf(before)}` })
          }
        >
          <Icon name="up" size={16} />
        </Button>
        <Button
          size="xs"
          variant="subtle"
          aria-label={t("moveDown", { name: row.name })}
          disabled={after === undefined}
          onClick={() =>
            after && void move.act({ name: nameOf(row), position: `after:${nameOf(after)}` })
          }
        >
          <Icon name="down" size={16} />
        </Button>
      </>
    );
  };
  const runButton = (row: PluginRow, action: "start" | "stop" | "restart") => (
    <RowButton
      text={t(action)}
      label={`${t(action)} ${row.name}`}
      onClick={() => void run.act({ name: nameOf(row), action })}
    />
  );
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange && (
          <FileButton onChange={(file) => file !== null && void install.act(file)} accept=".gz,.tgz">
            {(props) => (
              <Button {...props} loading={install.isBusy}>
                {t("install")}
              </Button>
            )}
          </FileButton>
        )
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
          { key: "rel_vsn", label: t("version") },
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
            {mayChange && arrows(row, index, rows)}
            {mayChange && isStarted(row) && runButton(row, "restart")}
            {mayChange && runButton(row, isStarted(row) ? "stop" : "start")}
            <RowButton
              text={t("settings")}
              label={`${t("settings")} ${row.name}`}
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
      {shown !== null && (
        <PluginDialog name={nameOf(shown)} onClose={() => setShown(null)} />
      )}
    </Page>
  );
}
