import { Anchor } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { TopicRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";

export default function TopicsPage(): ReactElement {
  const { t } = useTranslation("topics");
  return (
    <Page title={t("title")} help={t("help")}>
      <DataTable<TopicRow>
        label={t("title")}
        path="/topics"
        filters={[
          { name: "like_topic", label: t("field.topicPart") },
          { name: "topic", label: t("field.filter") },
        ]}
        columns={[
          {
            key: "topic",
            label: t("field.filter"),
            render: (row) => (
              <Anchor
                component={Link}
                to={`/subscriptions?topic=${encodeURIComponent(row.topic)}`}
                size="sm"
              >
                <span className="cell-text">{row.topic}</span>
              </Anchor>
            ),
          },
          { key: "node", label: t("field.node") },
        ]}
        rowKey={(row) => `${row.topic} ${row.node} ${row.session ?? ""}`}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
      />
    </Page>
  );
}
