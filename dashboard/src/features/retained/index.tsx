import { Button, Card, Code, Loader, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { RetainedRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { decodePayload } from "@/lib/payload";
import { formatTime } from "@/lib/format";

export default function RetainedPage(): ReactElement {
  const { t } = useTranslation("retained");
  const mayChange = useMayChange();
  const [shown, setShown] = useState<string | null>(null);
  const remove = useAct<string>({
    run: (topic) => call("delete", "/mqtt/retainer/message/{topic}", { path: { topic } }),
    refresh: ["/mqtt/retainer"],
    done: t("deleted"),
    ask: (topic) => ({
      title: t("remove.title"),
      text: t("remove.text", { topic }),
      action: t("delete"),
    }),
  });
  const removeAll = useAct({
    run: () => call("delete", "/mqtt/retainer/messages"),
    refresh: ["/mqtt/retainer"],
    done: t("deleted"),
    ask: () => ({ title: t("all.title"), text: t("all.text"), action: t("all.action") }),
  });
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange && (
          <Button color="red" variant="light" onClick={() => void removeAll.act()}>
            {t("all.action")}
          </Button>
        )
      }
    >
      <DataTable<RetainedRow>
        label={t("title")}
        path="/mqtt/retainer/messages"
        filters={[
          { name: "topic", label: t("field.filter") },
          { name: "like_topic", label: t("field.topicPart") },
          { name: "like_from_clientid", label: t("field.from") },
          { name: "qos", label: "QoS", options: ["0", "1", "2"].map((q) => ({ value: q, label: q })) },
        ]}
        columns={[
          { key: "topic", label: t("field.topic") },
          { key: "qos", label: "QoS", isNumber: true },
          { key: "from_clientid", label: t("field.from") },
          {
            key: "publish_at",
            label: t("field.publishedAt"),
            render: (row) => formatTime(row.publish_at),
          },
        ]}
        rowKey={(row) => row.topic}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row) => (
          <>
            <RowButton
              text={t("show")}
              label={t("showOne", { topic: row.topic })}
              onClick={() => setShown(row.topic)}
            />
            {mayChange && (
              <RowButton
                text={t("delete")}
                label={t("deleteOne", { name: row.topic })}
                isDanger
                onClick={() => void remove.act(row.topic)}
              />
            )}
          </>
        )}
      />
      {shown !== null && <Payload topic={shown} onClose={() => setShown(null)} />}
    </Page>
  );
}

function Payload({ topic, onClose }: { topic: string; onClose: () => void }): ReactElement {
  const { t } = useTranslation("retained");
  const message = useGet("/mqtt/retainer/message/{topic}", { path: { topic } });
  const payload = decodePayload(message.data?.payload);
  return (
    <Dialog
      onClose={onClose}
      title={t("field.payload")}
      size="lg"
    >
      <Stack gap="sm">
        <Code className="wrap">{topic}</Code>
        <ErrorPanel error={message.error} />
        {message.isPending && <Loader aria-label={t("loading")} />}
        {message.data !== undefined && (
          <Card withBorder padding="sm">
            <Title order={3} size="h6">
              {payload.isText ? t("asText") : t("asHex")}
            </Title>
            <Text size="xs" c="dimmed" mb="xs">
              {t("bytes", { bytes: payload.size })}
            </Text>
            <pre className="payload" tabIndex={0}>
              {payload.shown}
            </pre>
          </Card>
        )}
      </Stack>
    </Dialog>
  );
}
