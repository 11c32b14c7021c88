import { Anchor, Button, Group, Stack, Switch, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { RuleRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { addressOf, EVERY_MS } from "@/components/integration/kinds";
import { StateBadge } from "@/components/integration/StateBadge";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatNumber } from "@/lib/format";

import { functionOf, stateOf, targetOf } from "./outputs";
import { useRemoveRule } from "./useRemoveRule";

export default function RulesPage(): ReactElement {
  const { t, i18n } = useTranslation("rules");
  const mayChange = useMayChange();
  const remove = useRemoveRule();
  const add = mayChange && (
    <Button component={Link} to="/rules/new">
      {t("add")}
    </Button>
  );
  const figure = (key: string) => (row: RuleRow) => (
    <span data-figure={key}>{formatNumber(row.metrics?.[key], i18n.language)}</span>
  );
  return (
    <Page title={t("title")} help={t("help")} actions={add}>
      <DataTable<RuleRow>
        label={t("title")}
        path="/rules"
        every={EVERY_MS}
        filters={[
          { name: "like_id", label: t("id") },
          { name: "like_from", label: t("from") },
          { name: "like_description", label: t("field.description") },
          {
            name: "enable",
            label: t("field.enabled"),
            options: [
              { value: "true", label: t("yes") },
              { value: "false", label: t("no") },
            ],
          },
        ]}
        columns={[
          {
            key: "id",
            label: t("id"),
            render: (row) => (
              <>
                <Anchor component={Link} to={addressOf("rules", row.id)} size="sm" className="wrap">
                  {row.id}
                </Anchor>
                {row.description !== undefined && row.description !== "" && (
                  <Text size="xs" c="dimmed" className="wrap">
                    {row.description}
                  </Text>
                )}
              </>
            ),
          },
          {
            key: "from",
            label: t("from"),
            render: (row) => (
              <Stack gap={0} className="wrap">
                {row.from.map((each) => (
                  <Text key={each} size="sm" span>
                    {each}
                  </Text>
                ))}
              </Stack>
            ),
          },
          { key: "actions", label: t("outputs.title"), render: (row) => <Outputs rule={row} /> },
          { key: "matched", label: t("figures.matched"), isNumber: true, render: figure("matched") },
          { key: "passed", label: t("figures.passed"), isNumber: true, render: figure("passed") },
          { key: "failed", label: t("figures.failed"), isNumber: true, render: figure("failed") },
          {
            key: "rate",
            label: t("figures.matched_rate"),
            isNumber: true,
            render: figure("matched.rate"),
          },
          { key: "enable", label: t("field.enabled"), render: (row) => <RuleSwitch rule={row} /> },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text"), action: add }}
        {...(mayChange && {
          actions: (row: RuleRow) => (
            <RowButton
              text={t("delete")}
              label={t("deleteOne", { name: row.id })}
              isDanger
              onClick={() => void remove.act(row)}
            />
          ),
        })}
      />
    </Page>
  );
}

/** Each output; its state where it is not as it should be. */
function Outputs({ rule }: { rule: RuleRow }): ReactElement {
  const { t } = useTranslation("rules");
  if (rule.actions.length === 0) return <Text size="sm">{t("outputs.missing")}</Text>;
  return (
    <Stack gap={2}>
      {rule.actions.map((output, index) => {
        const state = stateOf(output, rule.action_details);
        return (
          <Group key={index} gap={6} wrap="nowrap">
            <Text size="sm" span className="wrap">
              {functionOf(output) === "republish"
                ? t("outputs.to", { topic: targetOf(output) })
                : targetOf(output) || t("outputs.kind.console")}
            </Text>
            {state !== undefined && <StateBadge row={state} />}
          </Group>
        );
      })}
    </Stack>
  );
}

function RuleSwitch({ rule }: { rule: RuleRow }): ReactElement {
  const { t } = useTranslation("rules");
  const mayChange = useMayChange();
  const toggle = useAct<boolean>({
    run: (enable) =>
      call("put", "/rules/{id}/enable/{enable}", {
        path: { id: rule.id, enable: String(enable) },
      }),
    refresh: ["/rules"],
    done: t("saved"),
  });
  return (
    <Switch
      aria-label={t("enableOne", { name: rule.id })}
      disabled={!mayChange || toggle.isBusy}
      checked={rule.enable}
      onChange={(event) => void toggle.act(event.currentTarget.checked)}
    />
  );
}
