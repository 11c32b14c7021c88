import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Provider } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { EditDelete, MoveButtons, RowButton } from "@/components/RowButtons";
import { ServiceStatus } from "@/components/ServiceStatus";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { moved } from "@/lib/order";

import { ProviderDialog } from "./ProviderDialog";

export const idOf = (row: Provider): string =>
  row.id ?? [row.mechanism, row.backend].filter(Boolean).join(":");

export default function AuthenticationPage(): ReactElement {
  const { t } = useTranslation("authentication");
  const mayChange = useMayChange();
  const [edited, setEdited] = useState<Provider | "new" | null>(null);
  const refresh = ["/authentication", "/configs"];
  const order = useAct<string[]>({
    run: (ids) => call("put", "/authentication/order", { body: ids.map((id) => ({ id })) }),
    refresh,
    done: t("moved"),
  });
  const remove = useAct<string>({
    run: (id) => call("delete", "/authentication/{id}", { path: { id } }),
    // Not of its status: there is none any more.
    refresh: ["/authentication$", "/configs"],
    done: t("deleted"),
    ask: (id) => ({ title: t("remove.title"), text: t("remove.text", { id }), action: t("delete") }),
  });
  const toggle = useAct<Provider>({
    run: ({ id: _id, ...row }) =>
      call("put", "/authentication/{id}", {
        path: { id: idOf({ id: _id, ...row } as Provider) },
        body: { ...row, enable: row["enable"] === false },
      }),
    refresh,
    done: t("saved"),
  });
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>}
    >
      <DataTable<Provider>
        label={t("title")}
        path="/authentication"
        isOrdered
        columns={[
          { key: "mechanism", label: t("mechanism"), render: (row) => t(`kind.${row.mechanism}`) },
          {
            key: "backend",
            label: t("backend"),
            render: (row) => (row.backend === undefined ? null : t(`backendOf.${row.backend}`)),
          },
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
                <ServiceStatus path="/authentication/{id}/status" of={{ id: idOf(row) }} />
              ),
          },
          {
            key: "users",
            label: t("users"),
            render: (row) =>
              row.backend === "built_in_database" ? (
                <Anchor
                  component={Link}
                  size="sm"
                  to={`/authentication/${encodeURIComponent(idOf(row))}/users`}
                >
                  {t("users")}
                </Anchor>
              ) : null,
          },
        ]}
        rowKey={idOf}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: Provider, index: number, rows: Provider[]) => (
            <>
              <MoveButtons
                name={idOf(row)}
                index={index}
                count={rows.length}
                onMove={(to) => void order.act(moved(rows.map(idOf), index, to))}
              />
              <RowButton
                text={t(row.enable === false ? "enable" : "disable")}
                label={`${t(row.enable === false ? "enable" : "disable")} ${idOf(row)}`}
                onClick={() => void toggle.act(row)}
              />
              <EditDelete
                name={idOf(row)}
                onEdit={() => setEdited(row)}
                onDelete={() => void remove.act(idOf(row))}
              />
            </>
          ),
        })}
      />
      {edited !== null && (
        <ProviderDialog
          provider={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
    </Page>
  );
}
