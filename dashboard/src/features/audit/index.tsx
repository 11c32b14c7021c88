import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { AuditEntry } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { formatTime } from "@/lib/format";

const FROM = ["dashboard", "rest_api", "cli", "node"] as const;
const METHODS = ["post", "put", "delete"] as const;

export default function AuditPage(): ReactElement {
  const { t } = useTranslation("audit");
  const [shown, setShown] = useState<AuditEntry | null>(null);
  const way = (from: string | undefined) => {
    const known = FROM.find((each) => each === from);
    return known === undefined ? from : t(`from.${known}`);
  };
  return (
    <Page title={t("title")} help={t("help")}>
      <DataTable<AuditEntry>
        label={t("title")}
        path="/audit"
        filters={[
          { name: "source", label: t("who") },
          {
            name: "from",
            label: t("way"),
            options: FROM.map((from) => ({ value: from, label: t(`from.${from}`) })),
          },
          { name: "source_ip", label: t("field.address") },
          { name: "operation_id", label: t("operation") },
          {
            name: "http_method",
            label: t("method"),
            options: METHODS.map((method) => ({ value: method, label: method.toUpperCase() })),
          },
          {
            name: "operation_result",
            label: t("result"),
            options: ["success", "failure"].map((each) => ({ value: each, label: t(`state.${each}`) })),
          },
          { name: "gte_created_at", label: t("after"), kind: "time" },
        ]}
        columns={[
          {
            key: "created_at",
            label: t("time"),
            render: (row) => formatTime(row.created_at),
          },
          { key: "source", label: t("who") },
          { key: "from", label: t("way"), render: (row) => way(row.from) },
          { key: "source_ip", label: t("field.address") },
          { key: "http_method", label: t("method"), render: (row) => row.http_method?.toUpperCase() },
          { key: "operation_id", label: t("operation") },
          {
            key: "operation_result",
            label: t("result"),
            render: (row) => <StatusBadge state={row.operation_result ?? ""} />,
          },
          { key: "http_status_code", label: t("status"), render: (row) => row.http_status_code },
        ]}
        rowKey={(row) =>
          `${String(row["seq"] ?? row["id"] ?? "")}${row.created_at ?? ""}${row.operation_id ?? ""}`
        }
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row) => (
          <RowButton
            text={t("details")}
            label={t("showOne", { name: row.operation_id })}
            onClick={() => setShown(row)}
          />
        )}
      />
      {shown !== null && (
        <Dialog
          size="lg"
          title={shown.operation_id}
          onClose={() => setShown(null)}
        >
          <pre className="payload" tabIndex={0}>
            {JSON.stringify(shown, null, 2)}
          </pre>
        </Dialog>
      )}
    </Page>
  );
}
