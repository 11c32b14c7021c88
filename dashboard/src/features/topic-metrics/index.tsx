import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { TopicMetric } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatNumber, formatTime } from "@/lib/format";

import { FiguresDialog } from "./FiguresDialog";
import { TopicDialog } from "./TopicDialog";

const PATH = "/mqtt/topic_metrics";
const EVERY_MS = 5000;

/** As the table orders it: each figure a field. */
interface Row {
  topic: string;
  received: number;
  receivedRate: number;
  sent: number;
  sentRate: number;
  dropped: number;
  since: string;
  metrics: Record<string, number>;
}

function rowsOf(answer: unknown): Row[] {
  return (answer as TopicMetric[]).map((each) => ({
    topic: each.topic,
    received: each.metrics["message.in.count"] ?? 0,
    receivedRate: each.metrics["message.in.rate"] ?? 0,
    sent: each.metrics["message.out.count"] ?? 0,
    sentRate: each.metrics["message.out.rate"] ?? 0,
    dropped: each.metrics["message.dropped.count"] ?? 0,
    since: each.reset_time ?? each.create_time,
    metrics: each.metrics,
  }));
}

export default function TopicMetricsPage(): ReactElement {
  const { t, i18n } = useTranslation("topicMetrics");
  const mayChange = useMayChange();
  const [isAdding, setAdding] = useState(false);
  const [shown, setShown] = useState<Row | null>(null);
  const reset = useAct<string | null>({
    run: (topic) =>
      call("put", PATH, { body: { action: "reset", ...(topic !== null && { topic }) } }),
    refresh: [PATH],
    done: t("reset.done"),
    ask: (topic) => ({
      title: t("reset.title"),
      text: topic === null ? t("reset.all") : t("reset.text", { topic }),
      action: t("reset.action"),
    }),
  });
  const remove = useAct<string>({
    run: (topic) => call("delete", `${PATH}/{topic}`, { path: { topic } }),
    refresh: [PATH],
    done: t("deleted"),
    ask: (topic) => ({
      title: t("remove.title"),
      text: t("remove.text", { topic }),
      action: t("delete"),
    }),
  });
  const rate = (value: number) => formatNumber(value, i18n.language);
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange && (
          <>
            <Button variant="default" onClick={() => void reset.act(null)}>
              {t("reset.everything")}
            </Button>
            <Button onClick={() => setAdding(true)}>{t("add.action")}</Button>
          </>
        )
      }
    >
      <DataTable<Row>
        label={t("title")}
        path={PATH}
        every={EVERY_MS}
        rowsOf={rowsOf}
        columns={[
          { key: "topic", label: t("field.topic") },
          { key: "received", label: t("received"), isNumber: true },
          {
            key: "receivedRate",
            label: t("perSecond"),
            isNumber: true,
            render: (row) => rate(row.receivedRate),
          },
          { key: "sent", label: t("sent"), isNumber: true },
          {
            key: "sentRate",
            label: t("perSecond"),
            isNumber: true,
            render: (row) => rate(row.sentRate),
          },
          { key: "dropped", label: t("dropped"), isNumber: true },
          { key: "since", label: t("since"), render: (row) => formatTime(row.since) },
        ]}
        rowKey={(row) => row.topic}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row) => (
          <>
            <RowButton
              text={t("details")}
              label={`${t("details")} ${row.topic}`}
              onClick={() => setShown(row)}
            />
            {mayChange && (
              <>
                <RowButton
                  text={t("reset.action")}
                  label={t("reset.one", { topic: row.topic })}
                  onClick={() => void reset.act(row.topic)}
                />
                <RowButton
                  text={t("delete")}
                  label={t("deleteOne", { name: row.topic })}
                  isDanger
                  onClick={() => void remove.act(row.topic)}
                />
              </>
            )}
          </>
        )}
      />
      {isAdding && <TopicDialog onClose={() => setAdding(false)} />}
      {shown !== null && (
        <FiguresDialog topic={shown.topic} metrics={shown.metrics} onClose={() => setShown(null)} />
      )}
    </Page>
  );
}
