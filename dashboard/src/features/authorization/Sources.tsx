import { Button, Group } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Source } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { EditDelete, MoveButtons, RowButton } from "@/components/RowButtons";
import { ServiceStatus } from "@/components/ServiceStatus";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { moved } from "@/lib/order";

import { SourceDialog } from "./SourceDialog";

export function Sources(): ReactElement {
  const { t } = useTranslation("authorization");
  const mayChange = useMayChange();
  const [edited, setEdited] = useState<Source | "new" | null>(null);
  const refresh = ["/authorization", "/configs"];
  const order = useAct<string[]>({
    run: (types) =>
      call("put", "/authorization/sources/order", { body: types.map((type) => ({ type })) }),
    refresh,
    done: t("moved"),
  });
  const toggle = useAct<Source>({
    run: (row) =>
      call("put", "/authorization/sources/{type}", {
        path: { type: row.type },
        body: { ...row, enable: row.enable === false },
      }),
    refresh,
    done: t("saved"),
  });
  const remove = useAct<string>({
    run: (type) => call("delete", "/authorization/sources/{type}", { path: { type } }),
    // Not of its status: there is none any more.
    refresh: ["/authorization/sources$", "/configs"],
    done: t("deleted"),
    ask: (type) => ({
      title: t("remove.title"),
      text: t("remove.text", { type }),
      action: t("delete"),
    }),
  });
  return (
    <>
      {mayChange && (
        <Group mb="md">
          <Button onClick={() => setEdited("new")}>{t("add")}</Button>
        </Group>
      )}
      <DataTable<Source>
        label={t("tab.sources")}
        path="/authorization/sources"
        name="s"
        isOrdered
        rowsOf={(answer) => (answer as { sources: Source[] }).sources}
        columns={[
          { key: "type", label: t("field.type"), render: (row) => t(`source.${row.type}`) },
          {
            key: "enable",
            label: t("field.enabled"),
            render: (row) => <StatusBadge state={row.enable === false ? "disabled" : "enabled"} />,
          },
          {
            key: "status",
            label: t("field.state"),
            render: (row) =>
              row.enable === false ? null : (
                <ServiceStatus
                  path="/authorization/sources/{type}/status"
                  of={{ type: row.type }}
                />
              ),
          },
        ]}
        rowKey={(row) => row.type}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: Source, index: number, rows: Source[]) => (
            <>
              <MoveButtons
                name={row.type}
                index={index}
                count={rows.length}
                onMove={(to) =>
                  void order.act(
                    moved(
                      rows.map((each) => each.type),
                      index,
                      to,
                    ),
                  )
                }
              />
              <RowButton
                text={t(row.enable === false ? "enable" : "disable")}
                label={`${t(row.enable === false ? "enable" : "disable")} ${row.type}`}
                onClick={() => void toggle.act(row)}
              />
              <EditDelete
                name={row.type}
                onEdit={() => setEdited(row)}
                onDelete={() => void remove.act(row.type)}
              />
            </>
          ),
        })}
      />
      {edited !== null && (
        <SourceDialog source={edited === "new" ? null : edited} onClose={() => setEdited(null)} />
      )}
    </>
  );
}
