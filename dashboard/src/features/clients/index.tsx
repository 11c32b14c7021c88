import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { ClientRow } from "@/api/shapes";
import { ClientLink } from "@/components/ClientLink";
import { DataTable, type Column } from "@/components/DataTable";
import type { Filter } from "@/components/Filters";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";

import { versionOf } from "./version";

export default function ClientsPage(): ReactElement {
  const { t } = useTranslation("clients");
  const mayChange = useMayChange();
  const kick = useAct<string[]>({
    run: (ids) => call("post", "/clients/kickout/bulk", { body: ids }),
    refresh: ["/clients"],
    done: t("kick.done"),
    ask: (ids) => ({
      title: t("kick.title"),
      text: t("kick.text", { number: ids.length, names: ids.slice(0, 5).join(", ") }),
      action: t("kick.action"),
    }),
  });
  const columns: Column<ClientRow>[] = [
    {
      key: "clientid",
      label: t("field.clientid"),
      render: (row) => <ClientLink clientid={row.clientid} />,
    },
    { key: "username", label: t("field.username") },
    {
      key: "connected",
      label: t("field.state"),
      render: (row) => <StatusBadge state={row.connected ? "connected" : "disconnected"} />,
    },
    {
      key: "ip_address",
      label: t("field.address"),
      render: (row) => (row.ip_address ? `${row.ip_address}:${row.port ?? ""}` : null),
    },
    { key: "proto_ver", label: t("version"), render: (row) => versionOf(row.proto_ver) },
    { key: "subscriptions_cnt", label: t("subscriptions"), isNumber: true },
    { key: "mqueue_len", label: t("mqueue"), isNumber: true },
    {
      key: "connected_at",
      label: t("connectedAt"),
      render: (row) => <time>{formatTime(row.connected_at)}</time>,
    },
  ];
  const filters: Filter[] = [
    { name: "like_clientid", label: t("field.clientid") },
    { name: "like_username", label: t("field.username") },
    {
      name: "conn_state",
      label: t("field.state"),
      options: ["connected", "idle", "disconnected"].map((state) => ({
        value: state,
        label: t(`state.${state}`),
      })),
    },
    { name: "ip_address", label: t("field.address") },
    {
      name: "proto_ver",
      label: t("version"),
      options: [
        { value: "5", label: "5.0" },
        { value: "4", label: "3.1.1" },
        { value: "3", label: "3.1" },
      ],
    },
    { name: "gte_connected_at", label: t("connectedAfter"), kind: "time" },
  ];
  return (
    <Page title={t("title")} help={t("help")}>
      <DataTable<ClientRow>
        label={t("title")}
        path="/clients"
        columns={columns}
        filters={filters}
        rowKey={(row) => row.clientid}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          bulk: {
            label: t("kick.action"),
            run: (rows: ClientRow[]) => kick.act(rows.map((row) => row.clientid)),
          },
        })}
      />
    </Page>
  );
}
