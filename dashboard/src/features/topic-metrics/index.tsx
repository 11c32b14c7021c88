import { Button, Text } from "@mantine/core";
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

export default function TopicMetricsPage(): ReactElement {
  const { t, i18n } = useTranslation("topicMetrics");
  const mayChange = useMayChange();
  const [isAdding, setAdding] = useState(false);
  const [shown, setShown] = useState<TopicMetric | null>(null);
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
  const number = (row: TopicMetric, name: string) =>
    formatNumber(row.metrics[name] ?? 0, i18n.language);
  const figure = (name: string) => (row: TopicMetric) => (
    <>
      <span className="figure">{number(row, `${name}.count`)}</span>
      <Text size="xs" c="dimmed">
        {t("rate", { rate: number(row, `${name}.rate`) })}
      </Text>
    </>
  );
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
      <DataTable<TopicMetric>
        label={t("title")}
        path={PATH}
        every={EVERY_MS}
        filters={[{ name: "find", label: t("find") }]}
        columns={[
          { key: "topic", label: t("field.topic") },
          {
            key: "message.in.count",
            label: t("received"),
            isNumber: true,
            render: figure("message.in"),
          },
          {
            key: "message.out.count",
            label: t("sent"),
            isNumber: true,
            render: figure("message.out"),
          },
          {
            key: "message.dropped.count",
            label: t("dropped"),
            isNumber: true,
            render: (row) => number(row, "message.dropped.count"),
          },
          {
            key: "since",
            label: t("since"),
            render: (row) => formatTime(row.reset_time ?? row.create_time),
          },
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
