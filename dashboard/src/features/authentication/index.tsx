import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Provider } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Icon } from "@/components/icons";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { moved } from "@/lib/order";

import { ProviderDialog } from "./ProviderDialog";
import { ProviderStatus } from "./ProviderStatus";

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
  const arrow = (rows: Provider[], index: number, to: number) => {
    const row = rows[index];
    const name = row === undefined ? "" : idOf(row);
    return (
      <Button
        size="xs"
        variant="subtle"
        aria-label={t(to < index ? "moveUp" : "moveDown", { name })}
        disabled={to < 0 || to >= rows.length}
        onClick={() => void order.act(moved(rows.map(idOf), index, to))}
      >
        <Icon name={to < index ? "up" : "down"} size={16} />
      </Button>
    );
  };
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
          { key: "status", label: t("field.state"), render: (row) => <ProviderStatus id={idOf(row)} /> },
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
              {arrow(rows, index, index - 1)}
              {arrow(rows, index, index + 1)}
              <Button
                size="xs"
                variant="default"
                aria-label={`${t(row.enable === false ? "enable" : "disable")} ${idOf(row)}`}
                onClick={() => void toggle.act(row)}
              >
                {t(row.enable === false ? "enable" : "disable")}
              </Button>
              <Button
                size="xs"
                variant="default"
                aria-label={t("editOne", { name: idOf(row) })}
                onClick={() => setEdited(row)}
              >
                {t("edit")}
              </Button>
              <Button
                size="xs"
                variant="light"
                color="red"
                aria-label={t("deleteOne", { name: idOf(row) })}
                onClick={() => void remove.act(idOf(row))}
              >
                {t("delete")}
              </Button>
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
