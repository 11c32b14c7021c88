import { Button, Group, NumberInput, Select, Stack, TagsInput, Text } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { PluginRow, PluginRun } from "@/api/shapes";
import { useAct } from "@/components/useAct";

const MB = 1024 * 1024;
const WORKERS_MAX = 64;
const ANSWERS = ["deny", "ignore", "allow"] as const;

/** How a plugin is run: only what was changed is sent. */
export function RunForm({ plugin }: { plugin: PluginRow }): ReactElement {
  const { t } = useTranslation("plugins");
  const mayChange = useMayChange();
  const [draft, setDraft] = useState<PluginRun>({});
  const shown = { ...plugin.run, ...draft };
  const put = (change: PluginRun) => setDraft({ ...draft, ...change });
  const save = useAct({
    run: () => call("put", "/plugins/{name}/run", { path: { name: plugin.name }, body: draft }),
    refresh: ["/plugins"],
    done: t("saved"),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    void save.act().then((isDone) => isDone && setDraft({}));
  };
  return (
    <form onSubmit={send}>
      <fieldset disabled={!mayChange} className="plain-fieldset">
        <Stack gap="sm">
          <NumberInput
            label={t("run.workers")}
            description={t("run.workersHelp")}
            min={1}
            max={WORKERS_MAX}
            allowDecimal={false}
            value={shown.workers ?? 1}
            onChange={(value) => put({ workers: Number(value) })}
          />
          <NumberInput
            label={t("run.deadline")}
            description={t("run.deadlineHelp")}
            min={0}
            value={shown.deadline_s ?? ""}
            onChange={(value) => put({ deadline_s: Number(value) })}
          />
          <NumberInput
            label={t("run.memory")}
            description={t("run.memoryHelp")}
            min={1}
            allowDecimal={false}
            value={Math.round((shown.memory_max ?? 0) / MB)}
            onChange={(value) => put({ memory_max: Number(value) * MB })}
          />
          <TagsInput
            label={t("run.topics")}
            description={t("run.topicsHelp")}
            value={shown.topics ?? []}
            onChange={(topics) => put({ topics })}
          />
          {Object.entries(shown.failure ?? {}).map(([hookpoint, answer]) => (
            <Select
              key={hookpoint}
              label={t("run.failure", { hookpoint })}
              data={ANSWERS.map((each) => ({ value: each, label: t(`run.answer.${each}`) }))}
              value={answer}
              allowDeselect={false}
              onChange={(value) =>
                value !== null && put({ failure: { ...shown.failure, [hookpoint]: value } })
              }
            />
          ))}
          {mayChange && (
            <>
              <Text size="sm" c="dimmed">
                {t("run.help")}
              </Text>
              <Group justify="flex-end">
                <Button
                  type="submit"
                  loading={save.isBusy}
                  disabled={Object.keys(draft).length === 0}
                >
                  {t("save")}
                </Button>
              </Group>
            </>
          )}
        </Stack>
      </fieldset>
    </form>
  );
}
