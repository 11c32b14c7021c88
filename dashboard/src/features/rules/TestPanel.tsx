/** Tries the rule on a sample while it is written: the rows that come out, or why there are none. */
import { Alert, Button, Card, Group, Select, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { RuleEvent } from "@/api/shapes";

import { Capture } from "./Capture";
import { fieldsOf, titleOf } from "./events";
import { isFilter } from "./sql";
import type { Tester, Verdict } from "./useTest";

const LONG = new Set(["payload"]);

interface TestPanelProps {
  tester: Tester;
  /** What the rule selects from. */
  from: readonly string[];
  events: readonly RuleEvent[];
}

export function TestPanel({ tester, from, events }: TestPanelProps): ReactElement {
  const { t, i18n } = useTranslation("rules");
  const { event } = tester;
  if (event === undefined || events.length === 0) {
    return (
      <Card withBorder>
        <Title order={2} size="h5">
          {t("test.title")}
        </Title>
        <Text size="sm" mt="xs">
          {t("test.nothing")}
        </Text>
      </Card>
    );
  }
  return (
    <Card withBorder>
      <Stack gap="sm">
        <div>
          <Title order={2} size="h5">
            {t("test.title")}
          </Title>
          <Text size="sm" c="dimmed">
            {t("test.help")}
          </Text>
        </div>
        {from.length > 1 && (
          <Select
            label={t("test.from")}
            data={[...new Set(from)]}
            value={tester.from}
            allowDeselect={false}
            onChange={(next) => next !== null && tester.choose(next)}
          />
        )}
        <Text size="sm" fw={600}>
          {titleOf(event, i18n.language)}
        </Text>
        {fieldsOf(event, i18n.language).map(({ name, about }) => {
          const common = {
            key: name,
            label: name,
            description: about,
            value: tester.sample[name] ?? "",
            onChange: (change: { currentTarget: { value: string } }) =>
              tester.put(name, change.currentTarget.value),
          };
          const { key, ...field } = common;
          return LONG.has(name) ? (
            <Textarea key={key} {...field} autosize minRows={3} maxRows={12} className="mono-input" />
          ) : (
            <TextInput key={key} {...field} autoComplete="off" />
          );
        })}
        {/* Above the result, which comes by itself: a button must not move while it is pressed. */}
        {isFilter(tester.from) && (
          <Capture filter={tester.from} onChoose={tester.fill} />
        )}
        <Group>
          <Button variant="default" loading={tester.isBusy} onClick={tester.run}>
            {t("test.run")}
          </Button>
        </Group>
        <Result verdict={tester.verdict} />
      </Stack>
    </Card>
  );
}

function Result({ verdict }: { verdict: Verdict | null }): ReactElement {
  const { t } = useTranslation("rules");
  return (
    <div role="status" aria-label={t("test.result")}>
      {verdict?.kind === "rows" && (
        <Stack gap={4}>
          <Text size="sm" fw={600}>
            {t("test.rows", { number: verdict.rows.length })}
          </Text>
          <pre className="payload" tabIndex={0} aria-label={t("test.result")}>
            {verdict.rows.map((row) => JSON.stringify(row, null, 2)).join("\n")}
          </pre>
        </Stack>
      )}
      {verdict?.kind === "none" && (
        <Alert color="orange" title={t("test.none.title")}>
          {t("test.none.text")}
        </Alert>
      )}
      {verdict?.kind === "problem" && (
        <Alert color="red" title={t("test.problem")}>
          <span className="wrap">{verdict.message}</span>
        </Alert>
      )}
    </div>
  );
}
