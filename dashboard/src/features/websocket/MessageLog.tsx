import { Badge, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/EmptyState";
import { formatClock } from "@/lib/format";

import type { LoggedMessage } from "./useMqtt";

interface MessageLogProps {
  messages: LoggedMessage[];
  onClear: () => void;
}

export function MessageLog({ messages, onClear }: MessageLogProps): ReactElement {
  const { t, i18n } = useTranslation("websocket");
  return (
    <Card withBorder>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h5">
          {t("messages")}
        </Title>
        <Button size="xs" variant="default" disabled={messages.length === 0} onClick={onClear}>
          {t("clearLog")}
        </Button>
      </Group>
      {messages.length === 0 ? (
        <EmptyState title={t("noMessages.title")} text={t("noMessages.text")} />
      ) : (
        <Stack gap="sm" role="log" aria-label={t("messages")}>
          {messages.map((message) => (
            <div key={message.id}>
              <Group gap="xs">
                <Badge color={message.direction === "in" ? "teal" : "cyan"} variant="light" tt="none">
                  {t(message.direction)}
                </Badge>
                <Text size="sm" fw={600} className="wrap">
                  {message.topic}
                </Text>
                <Text size="xs" c="dimmed">
                  QoS {message.qos}
                  {message.retain ? ` · ${t("retain")}` : ""} ·{" "}
                  {formatClock(message.at, i18n.language)}
                </Text>
              </Group>
              <pre className="payload" tabIndex={0} aria-label={t("field.payload")}>
                {message.payload}
              </pre>
            </div>
          ))}
        </Stack>
      )}
    </Card>
  );
}
