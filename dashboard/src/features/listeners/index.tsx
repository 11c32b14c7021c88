import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { ListenerRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { EditDelete, RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";

import { ListenerDialog } from "./ListenerDialog";

const EVERY_MS = 10_000;
type Verb = "start" | "stop" | "restart";

function stateOf(row: ListenerRow): string {
  if (row.status?.running === true) return "running";
  return row.status?.running === "inconsistent" ? "inconsistent" : "stopped";
}

export default function ListenersPage(): ReactElement {
  const { t } = useTranslation("listeners");
  const mayChange = useMayChange();
  const [edited, setEdited] = useState<string | "new" | null>(null);
  const refresh = ["/listeners", "/configs"];
  const run = useAct<{ id: string; verb: Verb }>({
    run: ({ id, verb }) => call("post", `/listeners/{id}/${verb}`, { path: { id }, parse: "text" }),
    refresh,
    done: t("done"),
  });
  const stop = useAct<{ id: string; verb: Verb }>({
    run: ({ id, verb }) => call("post", `/listeners/{id}/${verb}`, { path: { id }, parse: "text" }),
    refresh,
    done: t("done"),
    ask: ({ id, verb }) => ({
      title: t(`${verb}.title`),
      text: t(`${verb}.text`, { id }),
      action: t(`${verb}.action`),
    }),
  });
  const remove = useAct<string>({
    run: (id) => call("delete", "/listeners/{id}", { path: { id } }),
    refresh,
    done: t("deleted"),
    ask: (id) => ({ title: t("remove.title"), text: t("remove.text", { id }), action: t("delete") }),
  });
  const button = (row: ListenerRow, verb: Verb, act: typeof run) => (
    <RowButton
      text={t(`${verb}.action`)}
      label={`${t(`${verb}.action`)} ${row.id}`}
      onClick={() => void act.act({ id: row.id, verb })}
    />
  );
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>}
    >
      <DataTable<ListenerRow>
        label={t("title")}
        path="/listeners"
        every={EVERY_MS}
        filters={[{ name: "find", label: t("find") }]}
        columns={[
          { key: "id", label: t("field.name") },
          { key: "bind", label: t("bind") },
          {
            key: "running",
            label: t("field.state"),
            render: (row) => (
              <>
                <StatusBadge state={stateOf(row)} /> {row.error}
              </>
            ),
          },
          {
            key: "current_connections",
            label: t("connections"),
            isNumber: true,
            render: (row) => row.status?.current_connections?.toLocaleString(),
          },
          {
            key: "max_connections",
            label: t("most"),
            isNumber: true,
            render: (row) =>
              typeof row.status?.max_connections === "number"
                ? row.status.max_connections.toLocaleString()
                : t("unlimited"),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: ListenerRow) => (
            <>
              {row.status?.running === true ? (
                <>
                  {button(row, "restart", stop)}
                  {button(row, "stop", stop)}
                </>
              ) : (
                button(row, "start", run)
              )}
              <EditDelete
                name={row.id}
                onEdit={() => setEdited(row.id)}
                onDelete={() => void remove.act(row.id)}
              />
            </>
          ),
        })}
      />
      {edited !== null && (
        <ListenerDialog id={edited === "new" ? null : edited} onClose={() => setEdited(null)} />
      )}
    </Page>
  );
}
