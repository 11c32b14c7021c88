import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { SubscriptionRow } from "@/api/shapes";
import { ClientLink } from "@/components/ClientLink";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";

export default function SubscriptionsPage(): ReactElement {
  const { t } = useTranslation("subscriptions");
  return (
    <Page title={t("title")} help={t("help")}>
      <DataTable<SubscriptionRow>
        label={t("title")}
        path="/subscriptions"
        filters={[
          { name: "clientid", label: t("field.clientid") },
          { name: "topic", label: t("field.filter") },
          { name: "match_topic", label: t("matches") },
          { name: "share_group", label: t("group") },
          { name: "qos", label: "QoS", options: ["0", "1", "2"].map((q) => ({ value: q, label: q })) },
        ]}
        columns={[
          {
            key: "clientid",
            label: t("field.clientid"),
            render: (row) => <ClientLink clientid={row.clientid} />,
          },
          { key: "topic", label: t("field.filter") },
          { key: "qos", label: "QoS", isNumber: true },
          { key: "nl", label: t("field.noLocal"), isNumber: true },
          { key: "rap", label: t("field.retainAsPublished"), isNumber: true },
          { key: "rh", label: t("field.retainHandling"), isNumber: true },
          { key: "node", label: t("field.node") },
        ]}
        rowKey={(row) => `${row.clientid} ${row.topic}`}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
      />
    </Page>
  );
}
