import { Button, Card, Code, Group, Select, Stack, Switch, Table, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { Explanation } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { StatusBadge } from "@/components/StatusBadge";

const ACTIONS = ["publish", "subscribe"] as const;
const TEXTS = ["clientid", "username", "peerhost", "topic"] as const;

/** Asks what the node would decide, and why. */
export function Explain(): ReactElement {
  const { t, i18n } = useTranslation("authorization");
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [action, setAction] = useState("publish");
  const [qos, setQos] = useState("0");
  const [retain, setRetain] = useState(false);
  const ask = useMutation({
    mutationFn: () => {
      const said = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
      return call<Explanation>("post", "/authorization/explain", {
        body: { ...said, action, qos: Number(qos), retain },
      });
    },
  });
  const { data, mutate } = ask;
  const asked = useRef(i18n.language);
  useEffect(() => {
    // Reasons are written by the node.
    if (data !== undefined && asked.current !== i18n.language) mutate();
    asked.current = i18n.language;
  }, [i18n.language, data, mutate]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <div className="two-columns">
      <Card withBorder>
        <form onSubmit={send}>
          <Stack gap="sm">
            <Text size="sm" c="dimmed">
              {t("explain.help")}
            </Text>
            {TEXTS.map((name) => (
              <TextInput
                key={name}
                label={t(`explain.${name}`)}
                required={name === "topic"}
                value={texts[name] ?? ""}
                onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
              />
            ))}
            <Group grow>
              <Select
                label={t("rule.action")}
                data={ACTIONS.map((each) => ({ value: each, label: t(`action.${each}`) }))}
                value={action}
                allowDeselect={false}
                onChange={(value) => setAction(value ?? "publish")}
              />
              <Select
                label="QoS"
                data={["0", "1", "2"]}
                value={qos}
                allowDeselect={false}
                onChange={(value) => setQos(value ?? "0")}
              />
            </Group>
            <Switch
              label={t("explain.retain")}
              checked={retain}
              onChange={(event) => setRetain(event.currentTarget.checked)}
            />
            <Group justify="flex-end">
              <Button type="submit" loading={ask.isPending}>
                {t("explain.submit")}
              </Button>
            </Group>
          </Stack>
        </form>
      </Card>
      <div aria-live="polite">
        <ErrorPanel error={ask.error} />
        {ask.data !== undefined && ask.error === null && <Answer answer={ask.data} />}
      </div>
    </div>
  );
}

function Answer({ answer }: { answer: Explanation }): ReactElement {
  const { t } = useTranslation("authorization");
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Group>
          <StatusBadge state={answer.result} />
          <Text size="sm">{t("explain.decided", { source: answer.source })}</Text>
        </Group>
        {answer.rule && <Code block>{answer.rule}</Code>}
        {answer.file && (
          <Text size="sm" className="wrap">
            {t("explain.where", { file: answer.file, line: answer.line })}
          </Text>
        )}
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("explain.asked")}</Table.Th>
              <Table.Th>{t("explain.said")}</Table.Th>
              <Table.Th>{t("explain.reason")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {answer.steps.map((step, index) => (
              <Table.Tr key={index}>
                <Table.Td>{step.source}</Table.Td>
                <Table.Td>
                  <StatusBadge state={step.said === "none" ? "ignore" : step.said} />
                </Table.Td>
                <Table.Td>{step.reason}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </Card>
  );
}
