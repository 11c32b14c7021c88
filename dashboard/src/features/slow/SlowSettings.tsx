import { Button, Card, Group, Loader, NumberInput, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import { ErrorPanel } from "@/components/ErrorPanel";
import { useAct } from "@/components/useAct";

const PATH = "/slow_subscriptions/settings";
const KINDS = ["whole", "internal", "response"] as const;

export function SlowSettings(): ReactElement {
  const { t } = useTranslation("slow");
  const mayChange = useMayChange();
  const held = useGet(PATH);
  const [draft, setDraft] = useState<Record<string, unknown>>({});
  const save = useAct({
    run: () => call("put", PATH, { body: { ...held.data, ...draft } }),
    refresh: ["/slow_subscriptions"],
    done: t("saved"),
  });
  if (held.error !== null) return <ErrorPanel error={held.error} />;
  if (held.data === undefined) return <Loader aria-label={t("loading")} />;
  const shown = { ...held.data, ...draft };
  const put = (name: string, value: unknown) => setDraft({ ...draft, [name]: value });
  return (
    <Card withBorder>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save.act().then((isDone) => isDone && setDraft({}));
        }}
      >
        <fieldset disabled={!mayChange} className="plain-fieldset">
          <Stack gap="sm" maw={480}>
            <Switch
              label={t("enable")}
              checked={shown["enable"] === true}
              onChange={(event) => put("enable", event.currentTarget.checked)}
            />
            <TextInput
              label={t("threshold")}
              description={t("thresholdHelp")}
              value={String(shown["threshold"] ?? "")}
              onChange={(event) => put("threshold", event.currentTarget.value)}
            />
            <TextInput
              label={t("expire")}
              description={t("expireHelp")}
              value={String(shown["expire_interval"] ?? "")}
              onChange={(event) => put("expire_interval", event.currentTarget.value)}
            />
            <NumberInput
              label={t("top")}
              min={1}
              value={Number(shown["top_k_num"] ?? 10)}
              onChange={(value) => put("top_k_num", Number(value))}
            />
            <Select
              label={t("statistics")}
              data={KINDS.map((kind) => ({ value: kind, label: t(`stats.${kind}`) }))}
              value={String(shown["stats_type"] ?? "whole")}
              allowDeselect={false}
              onChange={(value) => put("stats_type", value)}
            />
            {mayChange && (
              <Group justify="flex-end">
                <Button type="submit" loading={save.isBusy} disabled={Object.keys(draft).length === 0}>
                  {t("save")}
                </Button>
              </Group>
            )}
          </Stack>
        </fieldset>
      </form>
    </Card>
  );
}
