import { Code, Loader, Stack } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { DelayedRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatDuration, formatTime } from "@/lib/format";
import { decodePayload } from "@/lib/payload";

const ONE = "/mqtt/delayed/messages/{node}/{msgid}";
const EVERY_MS = 5000;

export default function DelayedPage(): ReactElement {
  const { t, i18n } = useTranslation("delayed");
  const mayChange = useMayChange();
  const [shown, setShown] = useState<DelayedRow | null>(null);
  const remove = useAct<DelayedRow>({
    run: (row) => call("delete", ONE, { path: { node: row.node, msgid: row.msgid } }),
    refresh: ["/mqtt/delayed"],
    done: t("deleted"),
    ask: (row) => ({
      title: t("remove.title"),
      text: t("remove.text", { topic: row.topic }),
      action: t("delete"),
    }),
  });
  return (
    <Page title={t("title")} help={t("help")}>
      <DataTable<DelayedRow>
        label={t("title")}
        path="/mqtt/delayed/messages"
        every={EVERY_MS}
        filters={[
          { name: "like_topic", label: t("field.topicPart") },
          { name: "like_from_clientid", label: t("field.from") },
          { name: "qos", label: "QoS", options: ["0", "1", "2"].map((q) => ({ value: q, label: q })) },
        ]}
        columns={[
          { key: "topic", label: t("field.topic") },
          { key: "qos", label: "QoS", isNumber: true },
          {
            key: "publish_at",
            label: t("field.publishedAt"),
            render: (row) => formatTime(row.publish_at),
          },
          {
            key: "expected_at",
            label: t("expected"),
            render: (row) => formatTime(row.expected_at),
          },
          {
            key: "delayed_remaining",
            label: t("remaining"),
            render: (row) => formatDuration((row.delayed_remaining ?? NaN) * 1000, i18n.language),
          },
          { key: "from_clientid", label: t("field.from") },
        ]}
        rowKey={(row) => `${row.node} ${row.msgid}`}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row) => (
          <>
            <RowButton
              text={t("show")}
              label={t("showOne", { topic: row.topic })}
              onClick={() => setShown(row)}
            />
            {mayChange && (
              <RowButton
                text={t("delete")}
                label={t("deleteOne", { name: row.topic })}
                isDanger
                onClick={() => void remove.act(row)}
              />
            )}
          </>
        )}
      />
      {shown !== null && <Payload row={shown} onClose={() => setShown(null)} />}
    </Page>
  );
}

function Payload({ row, onClose }: { row: DelayedRow; onClose: () => void }): ReactElement {
  const { t } = useTranslation("delayed");
  const message = useGet(ONE, { path: { node: row.node, msgid: row.msgid } });
  return (
    <Dialog
      onClose={onClose}
      title={t("field.payload")}
      size="lg"
    >
      <Stack gap="sm">
        <Code className="wrap">{row.topic}</Code>
        <ErrorPanel error={message.error} />
        {message.isPending && <Loader aria-label={t("loading")} />}
        {message.data !== undefined && (
          <pre className="payload" tabIndex={0}>
            {decodePayload(message.data.payload).shown}
          </pre>
        )}
      </Stack>
    </Dialog>
  );
}
