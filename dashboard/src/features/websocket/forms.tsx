import { Button, Card, Group, Select, Stack, Switch, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { PublishOptions } from "./useMqtt";

type Qos = 0 | 1 | 2;
const LEVELS: readonly Qos[] = [0, 1, 2];

function QosSelect({ value, onChange }: { value: Qos; onChange: (qos: Qos) => void }): ReactElement {
  return (
    <Select
      label="QoS"
      w={80}
      data={LEVELS.map(String)}
      value={String(value)}
      allowDeselect={false}
      onChange={(text) => onChange(LEVELS.find((level) => String(level) === text) ?? 0)}
    />
  );
}

interface SubscribeFormProps {
  isEnabled: boolean;
  filters: string[];
  onSubscribe: (filter: string, qos: Qos) => void;
  onUnsubscribe: (filter: string) => void;
}

export function SubscribeForm(props: SubscribeFormProps): ReactElement {
  const { t } = useTranslation("websocket");
  const [filter, setFilter] = useState("testtopic/#");
  const [qos, setQos] = useState<Qos>(0);
  const send = (event: FormEvent) => {
    event.preventDefault();
    props.onSubscribe(filter, qos);
  };
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="sm">
        {t("subscribe.title")}
      </Title>
      <form onSubmit={send}>
        <Group align="flex-end">
          <TextInput
            className="grow"
            label={t("field.filter")}
            required
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <QosSelect value={qos} onChange={setQos} />
          <Button type="submit" disabled={!props.isEnabled}>
            {t("subscribe.action")}
          </Button>
        </Group>
      </form>
      <Stack gap="xs" mt="md">
        {props.filters.map((each) => (
          <Group key={each} justify="space-between" wrap="nowrap">
            <Text size="sm" className="wrap">
              {each}
            </Text>
            <Button
              size="xs"
              variant="default"
              aria-label={`${t("unsubscribe")} ${each}`}
              onClick={() => props.onUnsubscribe(each)}
            >
              {t("unsubscribe")}
            </Button>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}

interface PublishFormProps {
  isEnabled: boolean;
  onPublish: (options: PublishOptions) => void;
}

export function PublishForm({ isEnabled, onPublish }: PublishFormProps): ReactElement {
  const { t } = useTranslation("websocket");
  const [topic, setTopic] = useState("testtopic/1");
  const [payload, setPayload] = useState('{ "msg": "hello" }');
  const [qos, setQos] = useState<Qos>(0);
  const [retain, setRetain] = useState(false);
  const send = (event: FormEvent) => {
    event.preventDefault();
    onPublish({ topic, payload, qos, retain });
  };
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="sm">
        {t("publish.title")}
      </Title>
      <form onSubmit={send}>
        <Stack gap="sm">
          <Group align="flex-end">
            <TextInput
              className="grow"
              label={t("field.topic")}
              required
              value={topic}
              onChange={(event) => setTopic(event.currentTarget.value)}
            />
            <QosSelect value={qos} onChange={setQos} />
          </Group>
          <Textarea
            label={t("field.payload")}
            autosize
            minRows={3}
            maxRows={10}
            value={payload}
            onChange={(event) => setPayload(event.currentTarget.value)}
          />
          <Group justify="space-between">
            <Switch
              label={t("retain")}
              checked={retain}
              onChange={(event) => setRetain(event.currentTarget.checked)}
            />
            <Button type="submit" disabled={!isEnabled}>
              {t("publish.action")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
